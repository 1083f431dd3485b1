// `atoll image` and `atoll exec` on the daemon's side: /_atoll/images and /_atoll/exec.
#pragma once

#include "base/task.h"
#include "engine/image/images.h"
#include "engine/session/sessions.h"
#include "engine/task/tasks.h"
#include "gateway/gateway.h"

namespace reef::app {

gateway::SideDoor make_images_admin(image::Images& images, task::Tasks& tasks, session::Sessions& sessions);

}  // namespace reef::app
