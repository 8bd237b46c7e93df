/* The recurrences of minGRU and minLSTM, gates included, forward and backward, for float and double.
 *
 *     h[t] = h[t-1] + z (c - h[t-1]),   c = v + 1/2 where v >= 0, else sigmoid(v)
 *     minGRU   z = sigmoid(k)            a row of `pre` is [k | v]
 *     minLSTM  z = i / (f + i)           a row of `pre` is [kf | ki | v], f = sigmoid(kf), i = sigmoid(ki)
 *
 * Two-sided gate: only w = min(z, 1 - z) is ever computed, from an exponential of a number below 0; the new state
 * starts from c where z >= 1/2, else from the old state, and moves by w towards the other. So nothing overflows
 * and neither z nor 1 - z is rounded near 1, whatever the gates say.
 *
 * steps[t]: 0 keep the state (padding), 1 step, 2 forget the state and step. NULL: all 1.
 * Strides count elements; a time stride may be negative (from the last step to the first) and for dh 0.
 * The file includes itself once a type.
 */
#ifndef REAL
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE__
#include <immintrin.h>
#endif

enum { STRIP = 256, KEEP = 0, FORGET = 2 };

/* Gradients that fade over time pass through the subnormal numbers, on which every later product takes a hundred times
 * as long: they become 0. `settle` puts the thread's mode back. */
static inline unsigned flush_subnormals(void) {
#ifdef __SSE__
    unsigned mode = _mm_getcsr();
    _mm_setcsr(mode | 0x8040); /* flush to zero, and read as zero */
    return mode;
#else
    return 0;
#endif
}
static inline void settle(unsigned mode) {
#ifdef __SSE__
    _mm_setcsr(mode);
#else
    (void)mode;
#endif
}

/* GCC neither fuses multiply and add under -std=c11 nor uses the whole width of AVX-512 unless told; here both pay, and
 * no number must agree with another program's to the last bit. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=fast")
#ifdef __AVX512F__
#pragma GCC target("prefer-vector-width=512")
#endif
#endif

/* exp(-x) for x >= 0 to about one unit in the last place: 2^-n by the exponent bits times a polynomial. Adding
 * 1.5 * 2^23 rounds to the whole number n, which then stands in the last bits. Infinity gives 0 and NaN stays NaN. */
static inline float exp_f32(float x) {
    const float shift = 12582912.0f;
    x = x > 100.0f ? 100.0f : x;
    float shifted = x * 1.44269504f + shift, n = shifted - shift, power;
    float r = (n * 0.693359375f - x) - n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + (r + 1.0f);
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = 0x4b400000 + 127 - bits; /* 127 - n, the exponent of 2^-n */
    uint32_t exponent = (uint32_t)(bits > 0 ? bits : 0) << 23; /* 0 below the smallest normal number */
    memcpy(&power, &exponent, sizeof power);
    return p * power;
}
static inline double exp_f64(double x) { return exp(-x); }
static inline float size_f32(float x) { return fabsf(x); }
static inline double size_f64(double x) { return fabs(x); }

#define REAL float
#define TINY FLT_MIN
#define INT int32_t
#define NAME(f) f##_f32
#include __FILE__
#undef REAL
#undef TINY
#undef INT
#undef NAME
#define REAL double
#define TINY DBL_MIN
#define INT int64_t
#define NAME(f) f##_f64
#include __FILE__

/* 0 if forward and backward agree with values worked out by hand: k = 0 (z = 1/2), v = 1/2 (c = 1), h0 = 0 */
int self_test(void) {
    float pre[4] = {0.0f, 0.5f, 0.0f, 0.5f}, h[2], state = 0.0f;
    float dh[2] = {0.0f, 1.0f}, dpre[4], before = 0.0f, carry = 0.0f;
    int8_t steps[2] = {1, 1};
    forward_f32(pre, 4, 2, h, 2, 1, &state, steps, 2, 1, 1, 2, 1, 0);
    backward_f32(pre, 4, 2, h, 2, 1, &before, dh, 2, 1, &carry, steps, 2, 1, dpre, 4, 2, 1, 2, 1, 0);
    float error = fabsf(h[0] - 0.5f) + fabsf(h[1] - 0.75f) + fabsf(dpre[2] - 0.125f) + fabsf(dpre[3] - 0.5f);
    error += fabsf(dpre[0] - 0.125f) + fabsf(dpre[1] - 0.25f) + fabsf(carry - 0.25f);
    return error < 1e-6f ? 0 : 1;
}

#else

/* below if x is negative, else above; by sign bit, as a branch would keep compilers from vectorising */
static inline REAL NAME(by_sign)(REAL x, REAL below, REAL above) {
    INT sign, low, high;
    memcpy(&sign, &x, sizeof sign);
    memcpy(&low, &below, sizeof low);
    memcpy(&high, &above, sizeof high);
    sign >>= 8 * sizeof sign - 1;
    low = (low & sign) | (high & ~sign);
    memcpy(&x, &low, sizeof x);
    return x;
}

static inline REAL NAME(least)(REAL x, REAL y) { return NAME(by_sign)(x - y, x, y); }

/* candidate and its slope, from v and e = exp(-|v|) */
static inline REAL NAME(candidate)(REAL v, REAL e) { return NAME(by_sign)(v, e / (1 + e), v + (REAL)0.5); }
static inline REAL NAME(slope)(REAL v, REAL e) { return NAME(by_sign)(v, e / ((1 + e) * (1 + e)), 1); }

/* minGRU divides once: `both` is 1 over the two numbers that gate and candidate are divided by */
static void NAME(gru_forward)(const REAL *pre, int64_t H, REAL *state, REAL *h, int64_t n) {
    const REAL *k = pre, *v = pre + H;
#pragma omp simd
    for (int64_t c = 0; c < n; c++) {
        REAL gate = k[c], x = v[c], old = state[c], e = NAME(exp)(NAME(size)(gate)), ex = NAME(exp)(NAME(size)(x));
        REAL both = 1 / ((1 + e) * (1 + ex)), cand = NAME(by_sign)(x, ex * (1 + e) * both, x + (REAL)0.5);
        REAL move = e * (1 + ex) * both * (cand - old), from_new = cand - move, from_old = old + move;
        h[c] = state[c] = NAME(by_sign)(gate, from_old, from_new);
    }
}

static void NAME(gru_backward)(const REAL *pre, int64_t H, const REAL *prev, const REAL *dh, REAL *carry, REAL *dpre,
                               int64_t n) {
    const REAL *k = pre, *v = pre + H;
    REAL *dk = dpre, *dv = dpre + H;
#pragma omp simd
    for (int64_t c = 0; c < n; c++) {
        REAL gate = k[c], x = v[c], e = NAME(exp)(NAME(size)(gate)), ex = NAME(exp)(NAME(size)(x));
        REAL both = 1 / ((1 + e) * (1 + ex)), larger = (1 + ex) * both, curve = (1 + e) * both, rest = ex * curve;
        REAL g = carry[c] + dh[c], high = g * larger, low = high * e;
        REAL to_new = NAME(by_sign)(gate, low, high), to_old = NAME(by_sign)(gate, high, low);
        carry[c] = to_old;
        dk[c] = low * larger * (NAME(by_sign)(x, rest, x + (REAL)0.5) - prev[c]);
        dv[c] = to_new * NAME(by_sign)(x, rest * curve, 1);
    }
}

/* z = p / (p + q) with p = 1 + exp(-kf), q = 1 + exp(-ki), both scaled by exp(m) so that neither overflows */
static void NAME(lstm_forward)(const REAL *pre, int64_t H, REAL *state, REAL *h, int64_t n) {
    const REAL *kf = pre, *ki = pre + H, *v = pre + 2 * H;
#pragma omp simd
    for (int64_t c = 0; c < n; c++) {
        REAL f = kf[c], i = ki[c], x = v[c], old = state[c];
        REAL m = NAME(least)(0, NAME(least)(f, i)), one = NAME(exp)(-m);
        REAL p = one + NAME(exp)(f - m), q = one + NAME(exp)(i - m);
        REAL cand = NAME(candidate)(x, NAME(exp)(NAME(size)(x)));
        REAL move = NAME(least)(p, q) / (p + q) * (cand - old), from_new = cand - move, from_old = old + move;
        h[c] = state[c] = NAME(by_sign)(p - q, from_old, from_new);
    }
}

/* p or q underflows where one gate is far below the other: its own gradient is 0 then, and must not become 0 / 0 */
static void NAME(lstm_backward)(const REAL *pre, int64_t H, const REAL *prev, const REAL *dh, REAL *carry, REAL *dpre,
                                int64_t n) {
    const REAL *kf = pre, *ki = pre + H, *v = pre + 2 * H;
    REAL *dkf = dpre, *dki = dpre + H, *dv = dpre + 2 * H;
#pragma omp simd
    for (int64_t c = 0; c < n; c++) {
        REAL f = kf[c], i = ki[c], x = v[c], m = NAME(least)(0, NAME(least)(f, i)), one = NAME(exp)(-m);
        REAL ef = NAME(exp)(f - m), ei = NAME(exp)(i - m), p = one + ef, q = one + ei, ex = NAME(exp)(NAME(size)(x));
        REAL g = carry[c] + dh[c], w = NAME(least)(p, q) / (p + q), low = g * w, high = g - low;
        REAL to_new = NAME(by_sign)(p - q, low, high), to_old = NAME(by_sign)(p - q, high, low);
        REAL dk = low * (1 - w) * (NAME(candidate)(x, ex) - prev[c]);
        carry[c] = to_old;
        dkf[c] = -dk * (ef / (p + TINY));
        dki[c] = dk * (ei / (q + TINY));
        dv[c] = to_new * NAME(slope)(x, ex);
    }
}

/* h[B][T][H] from pre[B][T][2H or 3H]; state[B][H] is read and left at the last state */
void NAME(forward)(const REAL *pre, int64_t pre_b, int64_t pre_t, REAL *h, int64_t h_b, int64_t h_t, REAL *state,
                   const int8_t *steps, int64_t steps_b, int64_t steps_t, int64_t B, int64_t T, int64_t H, int lstm) {
    for (int64_t b = 0; b < B; b++)
        for (int64_t s = 0; s < H; s += STRIP) {
            int64_t n = H - s < STRIP ? H - s : STRIP;
            REAL local[STRIP];
            memcpy(local, state + b * H + s, n * sizeof(REAL));
            for (int64_t t = 0; t < T; t++) {
                const REAL *p = pre + b * pre_b + t * pre_t + s;
                REAL *out = h + b * h_b + t * h_t + s;
                int8_t step = steps ? steps[b * steps_b + t * steps_t] : 1;
                if (step == FORGET) memset(local, 0, n * sizeof(REAL));
                if (step == KEEP) memcpy(out, local, n * sizeof(REAL));
                else if (lstm) NAME(lstm_forward)(p, H, local, out, n);
                else NAME(gru_forward)(p, H, local, out, n);
            }
            memcpy(state + b * H + s, local, n * sizeof(REAL));
        }
}

/* dpre from dh; before[B][H] is the state before the first step, carry[B][H] the gradient that comes from after the
 * last step and is left as that of `before`. dpre may be pre itself. */
void NAME(backward)(const REAL *pre, int64_t pre_b, int64_t pre_t, const REAL *h, int64_t h_b, int64_t h_t,
                    const REAL *before, const REAL *dh, int64_t dh_b, int64_t dh_t, REAL *carry, const int8_t *steps,
                    int64_t steps_b, int64_t steps_t, REAL *dpre, int64_t dpre_b, int64_t dpre_t, int64_t B, int64_t T,
                    int64_t H, int lstm) {
    const REAL zero[STRIP] = {0};
    unsigned mode = flush_subnormals();
    for (int64_t b = 0; b < B; b++)
        for (int64_t s = 0; s < H; s += STRIP) {
            int64_t n = H - s < STRIP ? H - s : STRIP;
            REAL local[STRIP];
            memcpy(local, carry + b * H + s, n * sizeof(REAL));
            for (int64_t t = T - 1; t >= 0; t--) {
                const REAL *p = pre + b * pre_b + t * pre_t + s, *d = dh + b * dh_b + t * dh_t + s;
                const REAL *prev = t ? h + b * h_b + (t - 1) * h_t + s : before + b * H + s;
                REAL *dp = dpre + b * dpre_b + t * dpre_t + s;
                int8_t step = steps ? steps[b * steps_b + t * steps_t] : 1;
                if (step == KEEP) {
                    for (int64_t c = 0; c < n; c++) local[c] += d[c];
                    for (int g = 0; g < (lstm ? 3 : 2); g++) memset(dp + g * H, 0, n * sizeof(REAL));
                    continue;
                }
                if (lstm) NAME(lstm_backward)(p, H, step == FORGET ? zero : prev, d, local, dp, n);
                else NAME(gru_backward)(p, H, step == FORGET ? zero : prev, d, local, dp, n);
                if (step == FORGET) memset(local, 0, n * sizeof(REAL));
            }
            memcpy(carry + b * H + s, local, n * sizeof(REAL));
        }
    settle(mode);
}
#endif
