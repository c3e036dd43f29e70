"""Label Studio: its server, its client, and how tasks go there and answers come back."""
