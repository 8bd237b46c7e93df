"""The scan behind minGRU and minLSTM: its operators and their backends."""
