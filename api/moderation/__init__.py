"""What moderators do: bans, mutes, word filters, reports, and the audit of it all."""
