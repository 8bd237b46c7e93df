/* MiniRocket's features: for each combination of kernel, dilation and channels the fraction of steps at which the
 * convolution exceeds each of a few biases. A kernel has nine weights, three of them 2 and the others -1; beyond the
 * ends of a series there are zeros. See _minirocket.py. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF /* numpy's sums must tie with the biases where these do */

enum { LENGTH = 9, HALF = 4 };

/* out[t] += weight * s[t + shift] wherever both are inside */
static void add_shifted(float *restrict out, const float *restrict s, int64_t n, int64_t shift, float weight) {
    int64_t low = shift < 0 ? -shift : 0, high = shift > 0 ? n - shift : n;
#pragma omp simd
    for (int64_t t = low; t < high; t++) out[t] += weight * s[t + shift];
}

static int64_t count_above(const float *out, int64_t low, int64_t high, float bias) {
    int32_t count = 0;
#pragma omp simd reduction(+ : count)
    for (int64_t t = low; t < high; t++) count += out[t] > bias;
    return count;
}

/* x[rows][channels][time], lengths[rows]; combination m: places[m][3] of the weights 2, dilation[m], padded[m], channels
 * chosen[channel_at[m] .. channel_at[m + 1]), features feature_at[m] .. feature_at[m + 1). features[rows][..].
 * work holds 3 * time floats. */
void minirocket(const float *x, int64_t rows, int64_t channels, int64_t time, const int64_t *lengths,
                int64_t combinations, const int64_t *places, const int64_t *dilation, const int64_t *padded,
                const int64_t *channel_at, const int64_t *chosen, const int64_t *feature_at, const float *biases,
                float *features, int64_t width, float *work) {
    float *sum = work, *base = work + time, *out = work + 2 * time;
    for (int64_t row = 0; row < rows; row++) {
        int64_t n = lengths[row];
        for (int64_t m = 0; m < combinations; m++) {
            int64_t d = dilation[m], first = channel_at[m], last = channel_at[m + 1];
            const float *s = x + (row * channels + chosen[first]) * time;
            if (last - first > 1) {
                memset(sum, 0, n * sizeof(float));
                for (int64_t c = first; c < last; c++)
                    add_shifted(sum, x + (row * channels + chosen[c]) * time, n, 0, 1);
                s = sum;
            }
            if (m == 0 || channels > 1 || d != dilation[m - 1]) {
                memset(base, 0, n * sizeof(float));
                for (int64_t p = 0; p < LENGTH; p++) add_shifted(base, s, n, (p - HALF) * d, -1);
            }
            memcpy(out, base, n * sizeof(float));
            for (int p = 0; p < 3; p++) add_shifted(out, s, n, (places[3 * m + p] - HALF) * d, 3);
            int64_t edge = padded[m] || n <= 2 * HALF * d ? 0 : HALF * d;
            for (int64_t f = feature_at[m]; f < feature_at[m + 1]; f++)
                features[row * width + f] = (float)count_above(out, edge, n - edge, biases[f]) / (float)(n - 2 * edge);
        }
    }
}

/* 0 if a series of ones gives what it must: the kernel's weights sum to 0 inside */
int self_test(void) {
    float x[20], work[60], bias[2] = {-0.5f, 0.5f}, got[2];
    int64_t n = 20, places[3] = {0, 1, 2}, one = 1, zero = 0, at[2] = {0, 1}, features[2] = {0, 2};
    for (int t = 0; t < 20; t++) x[t] = 1;
    minirocket(x, 1, 1, 20, &n, 1, places, &one, &zero, at, &zero, features, bias, got, 2, work);
    return got[0] == 1.0f && got[1] == 0.0f ? 0 : 1;
}
