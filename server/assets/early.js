// Before anything is drawn: scripts run here, so the navigation may hide behind its button.
document.documentElement.dataset.scripted = "";
