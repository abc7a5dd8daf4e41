"""Access control: tokens, publication, quotas, keys, and the audit log of their changes."""
