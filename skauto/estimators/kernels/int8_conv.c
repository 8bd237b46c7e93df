/* Convolutions 3 x 3 of uint8 with int8, of stride 1 and 2, exact to the last bit, for AVX2 without int8 dot products.
 *
 * Winograd's short algorithms (Lavin and Gray 2016, section 4) on integers: 4 x 4 results a tile from 36 products
 * instead of 144 (stride 1), or from 81 (stride 2, even and odd pixels apart). Their fractions are cleared by whole
 * factors, which the weights carry; what that adds up to is divided out at the end, modulo 2^32: by the inverse of 9,
 * and by a shift. So 16-bit products in 32-bit sums give what the direct convolution gives, even where a sum wraps,
 * as long as the result itself fits (the caller sees to it).
 *
 * The sums of products use Winograd's older trick (1968): x1 y1 + x2 y2 = (x1 + y2)(x2 + y1) - x1 x2 - y1 y2. Half of the
 * multiplications become additions, for which these processors have twice the units. The caller sees to it that x + y
 * fits 16 bits.
 * self_test() is run in a child process before the library is used. */
#include <stdint.h>
#include <string.h>
#if defined(__AVX2__) && defined(__FMA__) && !defined(__AVX512VNNI__) && !defined(__AVXVNNI__)
#include <immintrin.h>

#define TILE 4            /* results along a side of a tile */
#define ROWS 4            /* tiles in one step of the product */
#define COLUMNS 16        /* filters in one step of the product */
#define FILTERS 64        /* filters between two turns of the output */
#define CACHE (352 << 10) /* bytes of transformed tiles and sums that should stay in the second cache */
#define NINTH 954437177u  /* 9 * NINTH = 1 modulo 2^32 */
#define KEEP(v) __asm__("" : "+x"(v)) /* in its register: the compiler would load it again for each tile */
#define INLINE static inline __attribute__((always_inline))

typedef int16_t s16 __attribute__((vector_size(32)));
typedef int32_t s32 __attribute__((vector_size(32)));

typedef struct {
    const uint8_t *x;   /* (images, height, width, channels) */
    const int16_t *u;   /* (points, filters / 16, channels / 4, 2, 16, 2): transformed weights, last two of four first */
    const int32_t *own; /* (points, filters / 16, 16): sums of - y1 y2 */
    const float *scale; /* (filters, a multiple of 16): what a unit of the sum is worth */
    const float *bias;
    void *y;            /* (images, down, across, filters) as uint8 or float */
    int64_t images, height, width, channels, filters, down, across, pad_down, pad_across, zero, stride, relu, bytes;
} Layer;

INLINE void points_of_input(int stride, const s16 *d, s16 *t)
{
    if (stride == 1) {
        const s16 odd = d[3] - d[1], even = d[4] - d[2];
        t[0] = 4 * d[0] - 5 * d[2] + d[4];
        t[1] = d[3] + d[4] - 4 * (d[1] + d[2]);
        t[2] = d[4] - d[3] + 4 * (d[1] - d[2]);
        t[3] = even + 2 * odd;
        t[4] = even - 2 * odd;
        t[5] = 4 * d[1] - 5 * d[3] + d[5];
        return;
    }
    const s16 a = d[0], b = d[2], c = d[4], e = d[6], f = d[8];
    t[0] = 2 * (a - c) - b + e;
    t[1] = e - c - 2 * b;
    t[2] = e - 3 * c + 2 * b;
    t[3] = e - b;
    t[4] = f - 2 * (e - b) - c;
    for (int i = 0; i < 4; i++) t[5 + i] = d[2 * i + 1];
}

INLINE void results_of_points(int stride, const s32 *m, s32 *y)
{
    if (stride == 1) {
        const s32 sum = 2 * m[1] + m[2], difference = 2 * m[1] - m[2];
        const s32 more = m[3] + m[4], less = m[3] - m[4];
        y[0] = m[0] + sum + more;
        y[1] = difference + 2 * less;
        y[2] = sum + 4 * more;
        y[3] = difference + 8 * less + 2 * m[5];
        return;
    }
    const s32 sum = m[1] + m[2], difference = m[1] - m[2];
    y[0] = m[0] + sum + m[3] + m[5];
    y[1] = difference + 2 * m[3] + m[6];
    y[2] = sum + 4 * m[3] + m[7];
    y[3] = difference + 8 * m[3] + m[4] + m[8];
}

/* 16 channels of a pixel, or as many as there are, less the zero point. */
INLINE s16 pixel(const uint8_t *p, int64_t zero, int64_t count)
{
    uint8_t some[16];
    if (count < 16) {
        memset(some, (int)zero, 16);
        for (int64_t i = 0; i < count; i++) some[i] = p[i];
        p = some;
    }
    return (s16)_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)p)) - (int16_t)zero;
}

/* Transform 16 channels of one tile; point p goes to v + p * apart. */
INLINE void input_tile(const Layer l, int stride, int64_t image, int64_t top, int64_t left, int64_t channel,
                       int64_t some, int16_t *v, int64_t apart)
{
    const int n = stride == 1 ? 6 : 9;
    s16 rows[9][9];
    for (int r = 0; r < n; r++) {
        const int64_t i = top + r;
        const uint8_t *line = l.x + ((image * l.height + i) * l.width + left) * l.channels + channel;
        s16 d[9] = {0};
        if (i >= 0 && i < l.height && left >= 0 && left + n <= l.width)
            for (int c = 0; c < n; c++) d[c] = pixel(line + c * l.channels, l.zero, some);
        else if (i >= 0 && i < l.height)
            for (int c = 0; c < n; c++)
                if (left + c >= 0 && left + c < l.width) d[c] = pixel(line + c * l.channels, l.zero, some);
        points_of_input(stride, d, rows[r]);
    }
    for (int c = 0; c < n; c++) {
        s16 d[9], t[9];
        for (int r = 0; r < n; r++) d[r] = rows[r][c];
        points_of_input(stride, d, t);
        for (int r = 0; r < n; r++) _mm256_storeu_si256((__m256i *)(v + (r * n + c) * apart), (__m256i)t[r]);
    }
}

/* own[i] = sum over fours of - x1 x2, of four tiles. */
INLINE void own_products(const int16_t *v, int64_t wide, int32_t *own)
{
    __m256i s[ROWS];
    for (int i = 0; i < ROWS; i++) {
        s[i] = _mm256_setzero_si256();
        for (int64_t k = 0; k < wide; k += 16) {
            const __m256i x = _mm256_loadu_si256((const __m256i *)(v + i * wide + k));
            s[i] = _mm256_sub_epi32(s[i], _mm256_madd_epi16(x, _mm256_srli_epi64(x, 32)));
        }
    }
    const __m256i sums = _mm256_hadd_epi32(_mm256_hadd_epi32(s[0], s[1]), _mm256_hadd_epi32(s[2], s[3]));
    const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    _mm_storeu_si128((__m128i *)own, four);
}

/* m[i][j] = sum over channels of x[i][k] y[k][j], four tiles by 16 filters, in two eights. */
INLINE void product(const int16_t *v, int64_t wide, const int32_t *x_own, const int16_t *u, const int32_t *y_own,
                    int64_t fours, int32_t *m, int64_t eight)
{
    const __m256i *y = (const __m256i *)u, *start = (const __m256i *)y_own;
    __m256i s[ROWS][2];
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < 2; j++) s[i][j] = _mm256_add_epi32(_mm256_set1_epi32(x_own[i]), _mm256_loadu_si256(start + j));
    for (int64_t k = 0; k < fours; k++, y += 4) {
        __m256i second[2] = {_mm256_loadu_si256(y), _mm256_loadu_si256(y + 1)};
        __m256i first[2] = {_mm256_loadu_si256(y + 2), _mm256_loadu_si256(y + 3)};
        KEEP(second[0]);
        KEEP(second[1]);
        KEEP(first[0]);
        KEEP(first[1]);
#pragma GCC unroll 4
        for (int i = 0; i < ROWS; i++) {
            int32_t pair[2];
            memcpy(pair, v + i * wide + 4 * k, 8);
            const __m256i a = _mm256_set1_epi32(pair[0]), b = _mm256_set1_epi32(pair[1]);
#pragma GCC unroll 2
            for (int j = 0; j < 2; j++) {
                const __m256i both = _mm256_madd_epi16(_mm256_add_epi16(a, second[j]), _mm256_add_epi16(b, first[j]));
                s[i][j] = _mm256_add_epi32(s[i][j], both);
            }
        }
    }
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < 2; j++) _mm256_storeu_si256((__m256i *)(m + i * 8 + j * eight), s[i][j]);
}

/* Eight filters of one result as they are stored, before rounding. */
INLINE __m256 scaled(const Layer l, s32 sum, int shift, int64_t filter)
{
    const s32 whole = (s32)_mm256_mullo_epi32((__m256i)sum, _mm256_set1_epi32((int)NINTH)) >> shift;
    const __m256 f = _mm256_cvtepi32_ps((__m256i)whole);
    return _mm256_fmadd_ps(f, _mm256_loadu_ps(l.scale + filter), _mm256_loadu_ps(l.bias + filter));
}

/* Rounded to whole numbers; clamped before, as beyond 2^31 the conversion gives the lowest one. */
INLINE __m256i rounded(__m256 f)
{
    return _mm256_cvtps_epi32(_mm256_min_ps(f, _mm256_set1_ps(255.0f)));
}

INLINE void store_floats(const Layer l, __m256 f, int64_t at, int64_t filter)
{
    float some[8];
    if (l.relu) f = _mm256_max_ps(f, _mm256_setzero_ps());
    _mm256_storeu_ps(some, f);
    memcpy((float *)l.y + at * l.filters + filter, some, 4 * (size_t)(l.filters - filter < 8 ? l.filters - filter : 8));
}

INLINE void store_bytes(const Layer l, __m256 f, int64_t at, int64_t filter)
{
    const __m256i whole = rounded(f);
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    const uint64_t eight = (uint64_t)_mm_cvtsi128_si64(_mm_packus_epi16(words, words));
    memcpy((uint8_t *)l.y + at * l.filters + filter, &eight, (size_t)(l.filters - filter < 8 ? l.filters - filter : 8));
}

/* Four results side by side, eight filters of each. */
INLINE void store_four(const Layer l, const __m256 *f, int64_t at, int64_t filter)
{
    const __m256i left = _mm256_packs_epi32(rounded(f[0]), rounded(f[1]));
    const __m256i right = _mm256_packs_epi32(rounded(f[2]), rounded(f[3]));
    const __m256i mixed = _mm256_packus_epi16(left, right);
    const __m256i all = _mm256_permutevar8x32_epi32(mixed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    const __m128i low = _mm256_castsi256_si128(all), high = _mm256_extracti128_si256(all, 1);
    const int64_t eight[4] = {_mm_cvtsi128_si64(low), _mm_extract_epi64(low, 1), _mm_cvtsi128_si64(high),
                              _mm_extract_epi64(high, 1)};
    uint8_t *to = (uint8_t *)l.y + at * l.filters + filter;
    for (int i = 0; i < 4; i++) memcpy(to + i * l.filters, eight + i, 8);
}

/* Eight filters of one tile from their sums; those of a point lie `apart` from the next one's. */
INLINE void output_tile(const Layer l, int stride, int64_t image, int64_t top, int64_t left, int64_t filter,
                        const int32_t *m, int64_t apart)
{
    const int n = stride == 1 ? 6 : 9;
    const int64_t rows = l.down - top < TILE ? l.down - top : TILE;
    const int64_t columns = l.across - left < TILE ? l.across - left : TILE;
    s32 half[TILE][9];
    for (int c = 0; c < n; c++) {
        s32 d[9], y[TILE];
        for (int r = 0; r < n; r++) d[r] = (s32)_mm256_loadu_si256((const __m256i *)(m + (r * n + c) * apart));
        results_of_points(stride, d, y);
        for (int r = 0; r < TILE; r++) half[r][c] = y[r];
    }
    for (int64_t r = 0; r < rows; r++) {
        const int64_t at = (image * l.down + top + r) * l.across + left;
        s32 y[TILE];
        __m256 f[TILE];
        results_of_points(stride, half[r], y);
        for (int c = 0; c < TILE; c++) f[c] = scaled(l, y[c], stride == 1 ? 6 : 2, filter);
        if (l.bytes && columns == TILE && filter + 8 <= l.filters)
            store_four(l, f, at, filter);
        else
            for (int64_t c = 0; c < columns; c++)
                if (l.bytes)
                    store_bytes(l, f[c], at + c, filter);
                else
                    store_floats(l, f[c], at + c, filter);
    }
}

typedef struct {
    int64_t points, wide, tiles, fours, in_apart, out_apart, filters;
} Plan;

static Plan plan_of(const Layer l)
{
    Plan p;
    p.filters = l.filters < FILTERS ? (l.filters + 15) / 16 * 16 : FILTERS;
    p.points = l.stride == 1 ? 36 : 81;
    p.wide = (l.channels + 15) / 16 * 16;
    p.fours = (l.channels + 3) / 4;
    p.tiles = CACHE / (p.points * (2 * p.wide + 4 * p.filters)) / ROWS * ROWS;
    p.tiles = p.tiles < ROWS ? ROWS : p.tiles > 8 * ROWS ? 8 * ROWS : p.tiles;
    p.in_apart = p.tiles * p.wide + 16; /* not a power of two apart, or all points would share a cache set */
    p.out_apart = p.tiles * 8 + 16;
    return p;
}

/* Bytes of working memory that int8_conv needs. */
int64_t int8_conv_memory(const Layer *l)
{
    const Plan p = plan_of(*l);
    return p.points * (2 * p.in_apart + 4 * p.tiles + 4 * p.out_apart * p.filters / 8);
}

INLINE void some_tiles(const Layer l, const Plan p, int stride, int64_t first, int64_t count, int16_t *v, int32_t *m,
                       int32_t *own)
{
    const int64_t high = (l.down + TILE - 1) / TILE, wide = (l.across + TILE - 1) / TILE;
    const int64_t blocks = (l.filters + COLUMNS - 1) / COLUMNS, some = FILTERS / COLUMNS;
    const int64_t step = stride * TILE, eight = p.points * p.out_apart; /* sums: (filters / 8, points, tiles, 8) */
    for (int64_t t = 0; t < count; t++) {
        const int64_t tile = first + t, image = tile / wide / high;
        const int64_t top = tile / wide % high * step - l.pad_down, left = tile % wide * step - l.pad_across;
        for (int64_t c = 0; c < p.wide; c += 16) {
            int16_t *to = v + t * p.wide + c;
            if (c + 16 <= l.channels)
                input_tile(l, stride, image, top, left, c, 16, to, p.in_apart);
            else
                input_tile(l, stride, image, top, left, c, l.channels - c, to, p.in_apart);
        }
    }
    for (int64_t start = 0; start < blocks; start += some) {
        const int64_t end = start + some < blocks ? start + some : blocks;
        for (int64_t q = 0; q < p.points; q++) {
            const int16_t *x = v + q * p.in_apart;
            for (int64_t t = 0; t < count && !start; t += ROWS) own_products(x + t * p.wide, p.wide, own + q * p.tiles + t);
            for (int64_t b = start; b < end; b++)
                for (int64_t t = 0; t < count; t += ROWS)
                    product(x + t * p.wide, p.wide, own + q * p.tiles + t, l.u + (q * blocks + b) * p.fours * 4 * COLUMNS,
                            l.own + (q * blocks + b) * COLUMNS, p.fours,
                            m + (b - start) * 2 * eight + q * p.out_apart + t * 8, eight);
        }
        for (int64_t f = start * COLUMNS; f < end * COLUMNS && f < l.filters; f += 8)
            for (int64_t t = 0; t < count; t++) {
                const int64_t tile = first + t, row = tile / wide % high, column = tile % wide;
                output_tile(l, stride, tile / wide / high, row * TILE, column * TILE, f,
                            m + (f / 8 - start * 2) * eight + t * 8, p.out_apart);
            }
    }
}

/* The convolution. `memory` has int8_conv_memory(l) bytes. */
void int8_conv(const Layer *layer, void *memory)
{
    const Layer l = *layer; /* a copy, which stores through y cannot alias */
    const Plan p = plan_of(l);
    const int64_t high = (l.down + TILE - 1) / TILE, wide = (l.across + TILE - 1) / TILE;
    const int64_t all = l.images * high * wide;
    int32_t *m = memory, *own = m + p.points * p.out_apart * p.filters / 8;
    int16_t *v = (int16_t *)(own + p.points * p.tiles);
    memset(v, 0, (size_t)(p.points * p.in_apart) * 2); /* the product reads full steps of tiles */
    for (int64_t first = 0; first < all; first += p.tiles) {
        const int64_t count = all - first < p.tiles ? all - first : p.tiles;
        if (l.stride == 1)
            some_tiles(l, p, 1, first, count, v, m, own);
        else
            some_tiles(l, p, 2, first, count, v, m, own);
    }
}

int available(void) { return 1; }

int self_test(void)
{
    /* one image of one pixel and one filter whose middle weight alone is set: 6 U is the product of the factors */
    static int16_t u[36 * 64];
    static int32_t own[36 * 16];
    static char memory[1 << 20];
    const float scale[16] = {1}, bias[16] = {0};
    const int factor[6] = {0, -2, 4, 2, -2, 0}; /* the middle weight at each point, with the whole factors */
    const uint8_t x[1] = {7};
    float y[1] = {0};
    for (int r = 0; r < 6; r++)
        for (int c = 0; c < 6; c++) u[(r * 6 + c) * 64 + 32] = (int16_t)(5 * factor[r] * factor[c]);
    const Layer l = {x, u, own, scale, bias, y, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 0, 0};
    if (int8_conv_memory(&l) > (int64_t)sizeof memory) return 1;
    int8_conv(&l, memory);
    return y[0] != 25.0f;
}
#else
int available(void) { return 0; }
int self_test(void) { return 0; }
#endif
