"""What several kinds of tests share: builders, fake servers, clocks."""
