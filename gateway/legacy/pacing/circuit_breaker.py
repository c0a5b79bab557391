"""The circuit breaker of a source: after many failures nothing is asked for a while, then one call tries.

Pure steps on the state that all processes share; `now` is clock.monotonic.
"""

from gateway.legacy.pacing.shared_state import Call, Pace

# Opens after so many failures in a row, or that share of the last calls.
IN_A_ROW = 5
LAST, MANY = 20, 16
# Older calls tell nothing of the source as it is.
FORGET_SECONDS = 60.0
FIRST_SECONDS, LONGEST_SECONDS = 5.0, 60.0
# A trial that gave no answer in this time is not waited for.
TRIAL_SECONDS = 120.0
LOOK_SECONDS = 1.0

CLOSED, OPEN, TRYING = "dicht", "open", "proef"


def state_of(pace: Pace, now: float) -> str:
    """Closed (calls go), open (none do, or the next one tries), or trying (one call is finding out)."""
    if not pace.open_until:
        return CLOSED
    return TRYING if pace.trial.pid and now < pace.open_until else OPEN


def wait(pace: Pace, now: float) -> float:
    """Seconds until a call may go; 0 when it may now, and then it is the trial if the breaker is open."""
    if not pace.open_until:
        return 0.0
    # A trial is over when it is over: worth looking soon.
    return min(max(0.0, pace.open_until - now), LOOK_SECONDS if pace.trial.pid else LONGEST_SECONDS)


def start(pace: Pace, call: Call, now: float) -> None:
    """A call goes: when the breaker is open it is the trial, and others wait for its outcome."""
    if pace.open_until:
        pace.trial = call
        pace.open_until = now + TRIAL_SECONDS


def answered(pace: Pace, now: float) -> None:
    """The source answered: it works."""
    _note(pace, 0, now)
    pace.open_until, pace.failed_trials = 0.0, 0
    pace.trial.pid = 0


def closed_elsewhere(pace: Pace) -> None:
    """Another machine found out that the source works."""
    pace.open_until, pace.failed_trials = 0.0, 0
    pace.trial.pid = 0


def failed(pace: Pace, call: Call, now: float) -> None:
    """The source did not answer, or with a fault of its own."""
    _note(pace, 1, now)
    if pace.open_until:
        if not is_trial(pace, call):
            return  # began before it opened: known by now
        pace.failed_trials += 1
    elif not _too_many(pace):
        return
    pace.trial.pid = 0
    pace.open_until = now + min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(pace.failed_trials, 10))


def ended(pace: Pace, call: Call, now: float) -> None:
    """A call is over that tells nothing of the source; was it the trial, then the next may try."""
    if is_trial(pace, call):
        pace.trial.pid = 0
        pace.open_until = now


def reclaim(pace: Pace, now: float) -> None:
    """Let another try when the process of the trial is no more."""
    trial = pace.trial
    if trial.pid and trial.lives is False:  # of one that we can't see, open_until is the end
        ended(pace, trial, now)


def is_trial(pace: Pace, call: Call) -> bool:
    """Is this call the one that finds out?"""
    trial = pace.trial
    return bool(trial.pid) and trial.name == call.name


def _note(pace: Pace, failure: int, now: float) -> None:
    if not 0 <= now - pace.outcome_at <= FORGET_SECONDS:
        pace.outcomes = pace.outcome_count = 0
    pace.outcomes = (pace.outcomes << 1 | failure) & ((1 << LAST) - 1)
    pace.outcome_count = min(LAST, pace.outcome_count + 1)
    pace.outcome_at = now


def _too_many(pace: Pace) -> bool:
    row = (1 << IN_A_ROW) - 1
    return pace.outcomes & row == row or pace.outcomes.bit_count() >= MANY
