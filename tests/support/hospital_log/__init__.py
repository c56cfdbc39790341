"""A hospital whose audit log is made up: months of hook calls and feedback, with or without a planted malfunction.

What is simulated: weekdays and public holidays, inpatients who are seen on several days, charts opened several times,
two laboratories with their own codes, draws that are used until a newer one comes, results that are refused, feedback.
"""
