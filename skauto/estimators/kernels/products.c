/* Products for compressed layers: bits against signs, and a sparse matrix against a batch. Vectors are written with
 * the compiler's own vector types where it cannot find them by itself; AVX-512 is used where the processor has it.
 * self_test() is run in a child process before the library is used. */
#include <stdint.h>
#include <string.h>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#define LANES 16
typedef float lanes __attribute__((vector_size(4 * LANES)));

static inline uint64_t pack64(const float *x, const float *t)
{
    uint64_t bits = 0;
#if defined(__AVX512F__)
    for (int j = 0; j < 64; j += 16)
        bits |= (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(x + j), _mm512_loadu_ps(t + j), _CMP_GT_OQ) << j;
#else
    for (int j = 0; j < 64; j++) bits |= (uint64_t)(x[j] > t[j]) << j;
#endif
    return bits;
}

/* Bits of x[r][k] > threshold[k] for K values a row, in words of 64, the last one filled up with zeros. */
void pack_bits(const float *x, const float *threshold, uint64_t *out, int64_t rows, int64_t K)
{
    int64_t words = (K + 63) / 64;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t w = 0; w < words; w++) {
            const float *p = x + r * K + w * 64, *t = threshold + w * 64;
            uint64_t bits = 0;
            if (K - w * 64 >= 64)
                bits = pack64(p, t);
            else
                for (int64_t j = 0; j < K - w * 64; j++) bits |= (uint64_t)(p[j] > t[j]) << j;
            out[r * words + w] = bits;
        }
}

/* out[m][n] = (base ? base[n] : out[m][n]) + factor * sum over the bits set in a[m] of +1 where column n of w has a one, -1 where it has none.
 * w is [words][N]: columns side by side, so that a vector holds the counts of eight of them. */
void bit_product(const uint64_t *a, const uint64_t *w, const float *base, float *out, int64_t M, int64_t N,
                 int64_t words, float factor)
{
    for (int64_t m = 0; m < M; m++) {
        const uint64_t *p = a + m * words;
        float *y = out + m * N;
        const float *from = base ? base : y;
        int64_t set = 0, n = 0;
        for (int64_t k = 0; k < words; k++) set += __builtin_popcountll(p[k]);
#if defined(__AVX512VPOPCNTDQ__) && defined(__AVX512DQ__)
        const __m256 f = _mm256_set1_ps(factor);
        const __m512i off = _mm512_set1_epi64(set);
        for (; n + 32 <= N; n += 32) {
            __m512i s[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                            _mm512_setzero_si512()};
            for (int64_t k = 0; k < words; k++) {
                const __m512i bits = _mm512_set1_epi64((long long)p[k]);
                const uint64_t *q = w + k * N + n;
                for (int i = 0; i < 4; i++) {
                    __m512i both = _mm512_and_si512(bits, _mm512_loadu_si512(q + 8 * i));
                    s[i] = _mm512_add_epi64(s[i], _mm512_popcnt_epi64(both));
                }
            }
            for (int i = 0; i < 4; i++) {
                __m512i sum = _mm512_sub_epi64(_mm512_add_epi64(s[i], s[i]), off);
                __m256 old = _mm256_loadu_ps(from + n + 8 * i);
                _mm256_storeu_ps(y + n + 8 * i, _mm256_fmadd_ps(f, _mm512_cvtepi64_ps(sum), old));
            }
        }
#endif
        for (; n < N; n++) {
            int64_t both = 0;
            for (int64_t k = 0; k < words; k++) both += __builtin_popcountll(p[k] & w[k * N + n]);
            y[n] = from[n] + factor * (float)(2 * both - set);
        }
    }
}

static inline lanes load(const float *p)
{
    lanes v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* y[o][b] = bias[o] + sum over the non-zeros of row o of value * x[index][b]; x and y have B columns. */
void sparse_product(const int32_t *start, const int32_t *index, const float *value, const float *bias,
                    const float *x, float *y, int64_t O, int64_t B)
{
    for (int64_t o = 0; o < O; o++) {
        int64_t b = 0;
        const int32_t end = start[o + 1];
        for (; b + 2 * LANES <= B; b += 2 * LANES) {
            lanes s0 = (lanes){0} + bias[o], s1 = s0, t0 = {0}, t1 = {0};
            int32_t i = start[o];
            for (; i + 1 < end; i += 2) {
                const float *p = x + (int64_t)index[i] * B + b, *q = x + (int64_t)index[i + 1] * B + b;
                s0 += value[i] * load(p);
                s1 += value[i] * load(p + LANES);
                t0 += value[i + 1] * load(q);
                t1 += value[i + 1] * load(q + LANES);
            }
            if (i < end) {
                const float *p = x + (int64_t)index[i] * B + b;
                s0 += value[i] * load(p);
                s1 += value[i] * load(p + LANES);
            }
            s0 += t0;
            s1 += t1;
            memcpy(y + o * B + b, &s0, sizeof s0);
            memcpy(y + o * B + b + LANES, &s1, sizeof s1);
        }
        for (; b + LANES <= B; b += LANES) {
            lanes s[4] = {(lanes){0} + bias[o], {0}, {0}, {0}};
            int32_t i = start[o];
            for (; i + 3 < end; i += 4)
                for (int j = 0; j < 4; j++) s[j] += value[i + j] * load(x + (int64_t)index[i + j] * B + b);
            for (; i < end; i++) s[0] += value[i] * load(x + (int64_t)index[i] * B + b);
            s[0] += s[1] + s[2] + s[3];
            memcpy(y + o * B + b, &s[0], sizeof s[0]);
        }
        for (; b < B; b++) {
            float sum = bias[o];
            for (int32_t i = start[o]; i < end; i++) sum += value[i] * x[(int64_t)index[i] * B + b];
            y[o * B + b] = sum;
        }
    }
}

int self_test(void)
{
    enum { K = 130, N = 33, B = 50 };
    float x[K], t[K] = {0}, out[N] = {0}, bias[2] = {1, 2}, dense[2 * B], y[2 * B];
    uint64_t a[3], w[3 * N];
    for (int k = 0; k < K; k++) x[k] = k % 3 == 0 ? 1.0f : -1.0f;
    pack_bits(x, t, a, 1, K);
    for (int k = 0; k < 3; k++)
        for (int n = 0; n < N; n++) w[k * N + n] = n % 2 ? ~a[k] : a[k];
    bit_product(a, w, out, out, 1, N, 3, 0.5f);
    for (int n = 0; n < N; n++)
        if (out[n] != (n % 2 ? -22.0f : 22.0f)) return 1;
    const int32_t start[3] = {0, 2, 3}, index[3] = {0, 1, 1};
    const float value[3] = {1, 2, 3};
    for (int b = 0; b < 2 * B; b++) dense[b] = (float)b;
    sparse_product(start, index, value, bias, dense, y, 2, B);
    for (int b = 0; b < B; b++)
        if (y[b] != 1 + dense[b] + 2 * dense[B + b] || y[B + b] != 2 + 3 * dense[B + b]) return 2;
    return 0;
}
