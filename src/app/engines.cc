#include "app/engines.h"

namespace reef::app {

Engines::Engines(const Config&, Storage& storage, Parts& parts) : logs(*storage.kv), tables(*storage.kv) {
  parts.add(resets);
  parts.add(*storage.kv);
  parts.add(spans);
  parts.add(logs);
  parts.add(queues);
  parts.add(tables);
}

}  // namespace reef::app
