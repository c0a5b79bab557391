"""How gently a source is asked, over all processes: gate, turns, rates, circuit breaker."""
