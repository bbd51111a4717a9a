"""Tests and builds assignments as code is tested and built: validate, release, init."""
