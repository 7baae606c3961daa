// Classes: virtual functions, multiple inheritance, members through pointers, templates, lambdas.
#include "runtime.h"

namespace {

struct Policy {
    virtual u64 score(u64 key) = 0;
    virtual ~Policy() {}
    virtual const char *name() const { return "policy"; }
};

struct Counter {
    u64 calls = 0;
    virtual void count() { calls++; }
};

struct Modulo : Policy, Counter {
    explicit Modulo(u64 by) : by_(by) {}
    u64 score(u64 key) override { count(); return key % by_; }
    const char *name() const override { return "modulo"; }
    void count() override { calls += 2; }
    u64 by_;
};

struct Shift final : Policy {
    u64 score(u64 key) override { return key >> amount; }
    u64 twice(u64 key) { return score(score(key)); }
    int amount = 3;
};

struct Base { virtual u64 get() { return 1; } int x = 4; };
struct Left : virtual Base { u64 get() override { return 2 + (u64)x; } };
struct Right : virtual Base { int y = 9; };
struct Both : Left, Right { u64 get() override { return Left::get() * 10 + (u64)y; } };

template <typename T, int N> struct Ring {
    T items[N] = {};
    int at = 0;
    void push(T item) { items[at++ % N] = item; }
    template <typename F> void each(F visit) const {
        for (const T &item : items)
            visit(item);
    }
};

NOINLINE u64 through(Policy &policy, u64 key) { return policy.score(key) + (u64)policy.name()[0]; }
NOINLINE void bump(Counter &counter) { counter.count(); }
NOINLINE u64 member(Shift &shift, u64 (Shift::*method)(u64), u64 key) { return (shift.*method)(key); }
NOINLINE u64 virtual_member(Policy &policy, u64 (Policy::*method)(u64), u64 key)
{
    return (policy.*method)(key);
}
NOINLINE u64 base(Base &object) { return object.get(); }

}  // namespace

// What the compiler calls for pure virtual functions and deleting destructors.
extern "C" void __cxa_pure_virtual() { __builtin_trap(); }
void operator delete(void *, corpus_size) noexcept {}
void operator delete(void *) noexcept {}

extern "C" u64 corpus_run(u64 seed)
{
    Modulo modulo(97);
    Shift shift;
    Both both;
    Policy *policies[] = {&modulo, &shift};
    Ring<u64, 16> ring;
    u64 sum = 0;
    for (int i = 0; i < 500; i++) {
        u64 key = next_random(&seed);
        sum = mix(sum, through(*policies[key & 1], key));
        bump(modulo);
        sum = mix(sum, member(shift, i & 1 ? &Shift::twice : &Shift::score, key));
        sum = mix(sum, virtual_member(*policies[i & 1], &Policy::score, key));
        sum = mix(sum, base(both));
        ring.push(sum);
        ring.each([&sum](u64 item) { sum = mix(sum, item); });
    }
    return mix(sum, modulo.calls);
}
