"""A hub for one class on one machine: real users, limits by systemd, TLS, backups."""
