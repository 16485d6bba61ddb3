"""What makes a session."""

idle_minutes, longest_hours, late_days = 30, 24, 30
conversion_events = ("order_completed",)
