"""What several jobs share: the lease that they write under, the crew that asks, lists and pages."""
