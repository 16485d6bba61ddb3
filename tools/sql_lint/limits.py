"""What makes a hub."""

identity_max_users, identity_max_devices = 5, 100
