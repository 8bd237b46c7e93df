"""Steps of compression."""
