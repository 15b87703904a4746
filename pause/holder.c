#include "answer.h"
#include "launch.h"

void launch_holder(struct launch *launch) {
  answer_failed(launch, &(struct failure){.index = NO_OPERATION, .error = 38});
}
