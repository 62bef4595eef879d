// SPDX-License-Identifier: Apache-2.0
// Where hooks are kept, and running them. A recorded tensor's are in the RecordInfo of the record that
// made it, which is replaced by one that runs them first; a leaf's are in a link of its node.
#include "hooks.hpp"

#include <atomic>
#include <string>
#include <vector>

#include "apply.hpp"

namespace autograd {

struct detail::Hook {
  GradientHook f;
  std::atomic<bool> removed = false;
};

void HookHandle::remove() {
  if (hook_) hook_->removed.store(true, std::memory_order_relaxed);
  hook_.reset();
}

namespace {

using detail::Hook;
using detail::Record;
using detail::RecordInfo;

using Hooks = std::vector<std::shared_ptr<Hook>>;

void check_replacement(const Tensor& y, const Tensor& g) {
  if (y.shape() == g.shape() && y.dtype() == g.dtype()) return;
  throw ShapeError(std::string("register_hook: the replacement does not fit: the hook returned ") +
                   name(y.dtype()) + " " + to_string(y.shape()) + ", the gradient is " +
                   name(g.dtype()) + " " + to_string(g.shape()) +
                   "; need equal shape and dtype (or nothing, to leave the gradient)");
}

Tensor run(Hooks hooks, Tensor g) {  // a copy of the list: a hook may register another
  for (const auto& hook : hooks) {
    if (hook->removed.load(std::memory_order_relaxed)) continue;
    const std::uint32_t version = detail::version_of(g.node());
    Tensor y = hook->f(g);
    if (detail::version_of(g.node()) != version) {
      throw TapeError("register_hook: a hook changed the gradient in place: shape " +
                      to_string(g.shape()) +
                      ", which others may share; need a hook that returns a new tensor");
    }
    if (!y.defined()) continue;
    check_replacement(y, g);
    g = std::move(y);
  }
  return g;
}

void add(Hooks& hooks, const std::shared_ptr<Hook>& hook) {
  std::erase_if(hooks, [](const auto& old) { return old->removed.load(); });
  hooks.push_back(hook);
}

/// In place of a record's own info.
struct HookedInfo : RecordInfo {
  const RecordInfo* own;
  Hooks hooks;

  explicit HookedInfo(const RecordInfo* info)
      : RecordInfo{info->name, &sweep_hooked, &destroy_hooked, info->view}, own(info) {}

  static const HookedInfo& of(const Record& record) {
    return static_cast<const HookedInfo&>(*record.info);
  }
  static void sweep_hooked(Record& record, Tape& tape, Tensor& dy) {
    const HookedInfo& info = of(record);
    dy = run(info.hooks, std::move(dy));
    info.own->sweep(record, tape, dy);
  }
  static void destroy_hooked(Record& record) noexcept {
    const HookedInfo* info = &of(record);
    if (info->own->destroy) info->own->destroy(record);
    delete info;
  }
};

void hook_record(Record& record, const std::shared_ptr<Hook>& hook) {
  if (record.info->destroy != &HookedInfo::destroy_hooked)
    record.info = new HookedInfo(record.info);
  add(static_cast<HookedInfo*>(const_cast<RecordInfo*>(record.info))->hooks, hook);
}

struct HookLink : detail::TrackLink {
  Hooks hooks;
};

HookLink* link_of(const detail::Node* node) {
  for (detail::TrackLink* link = node->more; link; link = link->next) {
    if (link->generation == detail::kHooks) return static_cast<HookLink*>(link);
  }
  return nullptr;
}

void hook_leaf(detail::Node* node, const std::shared_ptr<Hook>& hook) {
  HookLink* link = link_of(node);
  if (!link) {
    link = new HookLink{{detail::kHooks, 0, node->more}, {}};
    node->more = link;
  }
  add(link->hooks, hook);
}

}  // namespace

void detail::delete_hooks(TrackLink* link) noexcept { delete static_cast<HookLink*>(link); }

Tensor detail::run_hooks(const Node* leaf, Tensor gradient) {
  const HookLink* link = link_of(leaf);
  return link ? run(link->hooks, std::move(gradient)) : gradient;
}

HookHandle detail::register_hook(const Tensor& x, GradientHook f) {
  (void)x.shape();  // throws for no tensor at all
  Node* node = x.node();
  const auto hook = std::make_shared<Hook>();
  hook->f = std::move(f);
  bool leaf = node->requires_grad, known = leaf;
  for (Tape* tape = recorder->tape; tape && !leaf; tape = tape->parent())
    leaf = tape->is_leaf(node);
  if (leaf) {
    hook_leaf(node, hook);
    return HookHandle(hook);
  }
  for (Tape* tape = recorder->tape; tape; tape = tape->parent()) {
    const std::int32_t slot = tape->find(node);
    if (!slot) continue;
    hook_record(*tape->producer(slot), hook);
    known = true;
  }
  if (!known) {
    throw TapeError(std::string("register_hook: ") +
                    (node->generation ? "the tape of this tensor has ended or was swept"
                                      : "this tensor needs no gradient") +
                    ": its shape is " + to_string(x.shape()) +
                    "; need a parameter, an input (tape.input) or what a tape in scope recorded");
  }
  return HookHandle(hook);
}

}  // namespace autograd
