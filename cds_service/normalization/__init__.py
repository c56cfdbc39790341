"""Make it comparable: codes, units, time, selection of one blood draw. Pure."""
