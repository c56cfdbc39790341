"""The flow of the SMART trend app: launch, token exchange, one page. Its routes stand in web/."""
