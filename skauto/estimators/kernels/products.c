/* Products for compressed layers: bits against signs, and a sparse matrix against a batch. Vectors are written with
 * the compiler's own vector types where it cannot find them by itself; AVX2 and AVX-512 are used where they are.
 * self_test() is run in a child process before the library is used. */
#include <stdint.h>
#include <string.h>
#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LANES 16
#else
#define LANES 8
#endif
#define SIDE (2 * LANES) /* rows of x that a sparse matrix is multiplied with at a time, or half as many */
#define GROUP 16         /* rows of the matrix whose results are stored together */
#define CHAINS 4         /* sums side by side, as one would wait for itself */
typedef float lanes __attribute__((vector_size(4 * LANES)));

static inline uint64_t pack64(const float *x, const float *t)
{
    uint64_t bits = 0;
#if defined(__AVX512F__)
    for (int j = 0; j < 64; j += 16)
        bits |= (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(x + j), _mm512_loadu_ps(t + j), _CMP_GE_OQ) << j;
#elif defined(__AVX2__)
    for (int j = 0; j < 64; j += 8) {
        const __m256 more = _mm256_cmp_ps(_mm256_loadu_ps(x + j), _mm256_loadu_ps(t + j), _CMP_GE_OQ);
        bits |= (uint64_t)(uint32_t)_mm256_movemask_ps(more) << j;
    }
#else
    for (int j = 0; j < 64; j++) bits |= (uint64_t)(x[j] >= t[j]) << j;
#endif
    return bits;
}

/* Bits of x[r][k] >= threshold[k] for K values a row, in words of 64, the last one filled up with zeros. */
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
                for (int64_t j = 0; j < K - w * 64; j++) bits |= (uint64_t)(p[j] >= t[j]) << j;
            out[r * words + w] = bits;
        }
}

#if defined(__AVX512VPOPCNTDQ__) && defined(__AVX512DQ__)
#define UNIT 8
#elif defined(__AVX2__)
#define UNIT 1
#else
#define UNIT 8
#endif

/* Bytes of a column of w that lie together: w of bit_product is (K / 8 / unit, N, unit). */
int64_t bit_unit(void) { return UNIT; }

static inline int64_t bits_set(const uint64_t *p, int64_t words)
{
    int64_t set = 0;
    for (int64_t k = 0; k < words; k++) set += __builtin_popcountll(p[k]);
    return set;
}

/* y[n] = from[n] + factor * scale[n] * (2 * both[n] - set) for `count` columns */
static inline void spread(float *y, const float *from, const float *scale, const int32_t *both, int64_t count,
                          int64_t set, float factor)
{
    for (int64_t n = 0; n < count; n++) y[n] = from[n] + factor * scale[n] * (float)(2 * both[n] - (int32_t)set);
}

#if defined(__AVX2__) && UNIT == 1
#define BAND 64  /* columns counted at a time */
#define ROWS 4   /* rows counted at a time */
#define FLUSH 31 /* bytes of eight bits, after which a count could pass 255 */

static inline __m256i low_bits(__m256i v) { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }

/* both[r][n] += ones that row r and column n share in `count` bytes: four bits of the row choose a table of 16 counts,
 * four bits of each column look one up, 32 columns in one shuffle. */
static inline void count_shared(const uint8_t *const *rows, const uint8_t *w, int64_t N, int64_t count,
                                const __m256i *tables, int32_t both[ROWS][BAND])
{
    __m256i s[ROWS][2];
    for (int r = 0; r < ROWS; r++) s[r][0] = s[r][1] = _mm256_setzero_si256();
    for (int64_t k = 0; k < count; k++) {
        const __m256i one = _mm256_loadu_si256((const __m256i *)(w + k * N));
        const __m256i two = _mm256_loadu_si256((const __m256i *)(w + k * N + 32));
        const __m256i low[2] = {low_bits(one), low_bits(two)};
        const __m256i high[2] = {low_bits(_mm256_srli_epi16(one, 4)), low_bits(_mm256_srli_epi16(two, 4))};
#pragma GCC unroll 4
        for (int r = 0; r < ROWS; r++) {
            const __m256i t = tables[rows[r][k] & 15], u = tables[rows[r][k] >> 4];
#pragma GCC unroll 2
            for (int i = 0; i < 2; i++) {
                s[r][i] = _mm256_add_epi8(s[r][i], _mm256_shuffle_epi8(t, low[i]));
                s[r][i] = _mm256_add_epi8(s[r][i], _mm256_shuffle_epi8(u, high[i]));
            }
        }
    }
    uint8_t some[BAND];
    for (int r = 0; r < ROWS; r++) {
        for (int i = 0; i < 2; i++) _mm256_storeu_si256((__m256i *)(some + 32 * i), s[r][i]);
        for (int n = 0; n < BAND; n++) both[r][n] += some[n];
    }
}

static void count_tables(__m256i *tables)
{
    for (int bits = 0; bits < 16; bits++) {
        uint8_t counts[32];
        for (int i = 0; i < 32; i++) counts[i] = (uint8_t)__builtin_popcount((unsigned)(bits & i & 15));
        tables[bits] = _mm256_loadu_si256((const __m256i *)counts);
    }
}

/* Whole bands of columns; returns how many columns are done. */
static int64_t bands(const uint64_t *a, const uint8_t *w, const float *base, const float *scale, float *out, int64_t M,
                     int64_t N, int64_t words, float factor)
{
    __m256i tables[16];
    count_tables(tables);
    for (int64_t n = 0; n + BAND <= N; n += BAND)
        for (int64_t m = 0; m < M; m += ROWS) {
            int32_t both[ROWS][BAND] = {{0}};
            for (int64_t k = 0; k < 8 * words; k += FLUSH) {
                const uint8_t *rows[ROWS]; /* behind the last row, the last row again */
                for (int r = 0; r < ROWS; r++) rows[r] = (const uint8_t *)(a + (m + r < M ? m + r : M - 1) * words) + k;
                count_shared(rows, w + k * N + n, N, 8 * words - k < FLUSH ? 8 * words - k : FLUSH, tables, both);
            }
            for (int64_t r = m; r < m + ROWS && r < M; r++) {
                float *y = out + r * N + n;
                spread(y, base ? base + n : y, scale + n, both[r - m], BAND, bits_set(a + r * words, words), factor);
            }
        }
    return N / BAND * BAND;
}
#elif defined(__AVX512VPOPCNTDQ__) && defined(__AVX512DQ__)
#define BAND 32 /* columns counted at a time */

static int64_t bands(const uint64_t *a, const uint8_t *columns, const float *base, const float *scale, float *out,
                     int64_t M, int64_t N, int64_t words, float factor)
{
    const uint64_t *w = (const uint64_t *)columns;
    for (int64_t m = 0; m < M; m++)
        for (int64_t n = 0; n + BAND <= N; n += BAND) {
            int32_t both[BAND];
            __m512i s[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                            _mm512_setzero_si512()};
            for (int64_t k = 0; k < words; k++) {
                const __m512i bits = _mm512_set1_epi64((long long)a[m * words + k]);
                for (int i = 0; i < 4; i++) {
                    const __m512i shared = _mm512_and_si512(bits, _mm512_loadu_si512(w + k * N + n + 8 * i));
                    s[i] = _mm512_add_epi64(s[i], _mm512_popcnt_epi64(shared));
                }
            }
            for (int i = 0; i < 4; i++) _mm256_storeu_si256((__m256i *)(both + 8 * i), _mm512_cvtepi64_epi32(s[i]));
            float *y = out + m * N + n;
            spread(y, base ? base + n : y, scale + n, both, BAND, bits_set(a + m * words, words), factor);
        }
    return N / BAND * BAND;
}
#else
static int64_t bands(const uint64_t *a, const uint8_t *w, const float *base, const float *scale, float *out, int64_t M,
                     int64_t N, int64_t words, float factor)
{
    (void)a, (void)w, (void)base, (void)scale, (void)out, (void)M, (void)N, (void)words, (void)factor;
    return 0;
}
#endif

/* out[m][n] = (base ? base[n] : out[m][n]) + factor * scale[n] * sum over the bits set in a[m] of +1 where column n of
 * w has a one, -1 where it has none. */
void bit_product(const uint64_t *a, const uint8_t *w, const float *base, const float *scale, float *out, int64_t M,
                 int64_t N, int64_t words, float factor)
{
    const int64_t done = bands(a, w, base, scale, out, M, N, words, factor);
    for (int64_t m = 0; m < M && done < N; m++) {
        const int64_t set = bits_set(a + m * words, words);
        for (int64_t n = done; n < N; n++) {
            int32_t both = 0;
            for (int64_t k = 0; k < words; k++) {
                uint64_t word;
                uint8_t *bytes = (uint8_t *)&word;
                for (int64_t b = 0; b < 8; b += UNIT) memcpy(bytes + b, w + ((8 * k + b) * N + n * UNIT), UNIT);
                both += (int32_t)__builtin_popcountll(a[m * words + k] & word);
            }
            float *y = out + m * N + n;
            spread(y, base ? base + n : y, scale + n, &both, 1, set, factor);
        }
    }
}

static inline lanes load(const float *p)
{
    lanes v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* y[o] = bias[o] + sum over the non-zeros of row o of value * x[index]; four sums, as one would wait for itself. */
static void sparse_row(const int32_t *start, const int32_t *index, const float *value, const float *bias,
                       const float *x, float *y, int64_t O)
{
    for (int64_t o = 0; o < O; o++) {
        float s[4] = {bias[o], 0, 0, 0};
        int32_t i = start[o];
        for (; i + 3 < start[o + 1]; i += 4)
            for (int j = 0; j < 4; j++) s[j] += value[i + j] * x[index[i + j]];
        for (; i < start[o + 1]; i++) s[0] += value[i] * x[index[i]];
        y[o] = s[0] + s[1] + s[2] + s[3];
    }
}

/* Some rows of x side by side, (K, side); zeros where there are fewer. A line of each row at a time: rows that lie a power
 * of two apart share a cache set. */
static void side_by_side(const float *x, float *across, int64_t K, int64_t rows, int64_t side)
{
    for (int64_t k = 0; k < K; k += GROUP)
        for (int64_t b = 0; b < side; b++)
            for (int64_t j = k; j < k + GROUP && j < K; j++) across[j * side + b] = b < rows ? x[b * K + j] : 0.0f;
}

/* The sums of `count` rows of the matrix into rows of y, a line of each. */
static void store_block(float sums[GROUP][SIDE], float *y, int64_t O, int64_t count, int64_t rows)
{
    for (int64_t b = 0; b < rows; b++)
        for (int64_t o = 0; o < count; o++) y[b * O + o] = sums[o][b];
}

/* The product with so many vectors of rows that lie side by side. */
static inline __attribute__((always_inline)) void sparse_block(const int32_t *start, const int32_t *index,
                                                               const float *value, const float *bias,
                                                               const float *across, float *y, int64_t O, int64_t rows,
                                                               const int vectors)
{
    const int64_t side = vectors * LANES;
    const int step = CHAINS / vectors;
    float sums[GROUP][SIDE];
    for (int64_t o = 0; o < O; o++) {
        lanes s[CHAINS];
        for (int c = 0; c < CHAINS; c++) s[c] = (lanes){0} + (c < vectors ? bias[o] : 0.0f);
        int32_t i = start[o];
        for (; i + step - 1 < start[o + 1]; i += step)
            for (int c = 0; c < CHAINS; c++) {
                const int64_t n = i + c / vectors;
                s[c] += value[n] * load(across + index[n] * side + c % vectors * LANES);
            }
        for (; i < start[o + 1]; i++)
            for (int v = 0; v < vectors; v++) s[v] += value[i] * load(across + index[i] * side + v * LANES);
        for (int c = vectors; c < CHAINS; c++) s[c % vectors] += s[c];
        for (int v = 0; v < vectors; v++) memcpy(sums[o % GROUP] + v * LANES, &s[v], sizeof s[v]);
        if (o % GROUP == GROUP - 1 || o == O - 1) store_block(sums, y + o / GROUP * GROUP, O, o % GROUP + 1, rows);
    }
}

/* y[b][o] = bias[o] + sum over the non-zeros of row o of value * x[b][index], B rows of x and of y; `across` has
 * room for K times 32 floats. */
void sparse_product(const int32_t *start, const int32_t *index, const float *value, const float *bias,
                    const float *x, float *y, float *across, int64_t O, int64_t K, int64_t B)
{
    if (B == 1) {
        sparse_row(start, index, value, bias, x, y, O);
        return;
    }
    for (int64_t b = 0; b < B; b += SIDE) {
        const int64_t rows = B - b < SIDE ? B - b : SIDE;
        side_by_side(x + b * K, across, K, rows, rows > LANES ? SIDE : LANES);
        if (rows > LANES)
            sparse_block(start, index, value, bias, across, y + b * O, O, rows, 2);
        else
            sparse_block(start, index, value, bias, across, y + b * O, O, rows, 1);
    }
}

int self_test(void)
{
    enum { K = 130, N = 101, B = 50 };
    float x[K], t[K] = {0}, out[N] = {0}, scale[N], bias[2] = {1, 2}, rows[2 * B], y[2 * B], across[2 * SIDE];
    uint64_t a[3];
    uint8_t w[24 * N];
    for (int k = 0; k < K; k++) x[k] = k % 3 == 0 ? 1.0f : -1.0f;
    pack_bits(x, t, a, 1, K);
    for (int n = 0; n < N; n++) {
        uint64_t column[3];
        for (int k = 0; k < 3; k++) column[k] = n % 2 ? ~a[k] : a[k];
        for (int b = 0; b < 24; b += UNIT) memcpy(w + b * N + n * UNIT, (uint8_t *)column + b, UNIT);
        scale[n] = 0.5f;
    }
    bit_product(a, w, out, scale, out, 1, N, 3, 1.0f);
    for (int n = 0; n < N; n++)
        if (out[n] != (n % 2 ? -22.0f : 22.0f)) return 1;
    const int32_t start[3] = {0, 2, 3}, index[3] = {0, 1, 1};
    const float value[3] = {1, 2, 3};
    for (int b = 0; b < 2 * B; b++) rows[b] = (float)b;
    sparse_product(start, index, value, bias, rows, y, across, 2, 2, B);
    for (int b = 0; b < B; b++)
        if (y[2 * b] != 1 + rows[2 * b] + 2 * rows[2 * b + 1] || y[2 * b + 1] != 2 + 3 * rows[2 * b + 1]) return 2;
    sparse_product(start, index, value, bias, rows, y, across, 2, 2, 1);
    return y[0] != 3 || y[1] != 5 ? 3 : 0;
}
