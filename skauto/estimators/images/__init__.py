"""Images: networks, augmentation, summaries, Grad-CAM."""
