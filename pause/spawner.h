// The resident process that answers the daemon's requests, each by a fork of itself.
#pragma once

// Runs until the daemon's end of descriptor 3 is closed. Answers the exit status.
int spawner_run(void);
