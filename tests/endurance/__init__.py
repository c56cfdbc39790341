"""Does it hold for hours, under mixed traffic, and while parts of it are killed?"""
