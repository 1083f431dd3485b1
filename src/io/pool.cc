#include "io/pool.h"

#include <pthread.h>

namespace reef::io {

Pool::Pool(std::string name, std::size_t threads_max, std::size_t queued_max)
    : name_(std::move(name)), threads_max_(threads_max), queued_max_(queued_max) {}

Pool::~Pool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Pool::submit(Work work) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() >= queued_max_ || stopping_) return false;
  queue_.push_back(std::move(work));
  if (idle_ > 0) ready_.notify_one();
  else if (threads_.size() < threads_max_) threads_.emplace_back([this] { this->work(); });
  return true;
}

void Pool::work() {
  pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
  std::unique_lock lock(mutex_);
  for (;;) {
    while (queue_.empty()) {
      if (stopping_) return;
      ++idle_;
      ready_.wait(lock);
      --idle_;
    }
    Work next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    next();
    next = nullptr;
    lock.lock();
  }
}

}  // namespace reef::io
