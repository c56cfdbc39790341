"""Does it hold for hours, and while parts of it are killed?"""
