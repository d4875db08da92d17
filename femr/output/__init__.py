"""Analyses as rows, tables, annotated pictures and timelines; reads values only."""
