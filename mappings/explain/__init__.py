"""Why a field holds what it holds, and what to do about a finding."""
