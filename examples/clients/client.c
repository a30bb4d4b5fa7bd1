/* A device for minesense in C: cc -o client client.c -lm; ./client 127.0.0.1 9750 10 (SYNTHETIC)
 * Written from docs/protocol.md, for little-endian machines with IEEE floats (x86, ARM). */
#include <arpa/inet.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
static int sock;
static uint32_t crc32(const uint8_t *p, uint32_t n) {
    uint32_t crc = 0xFFFFFFFF;
    while (n--) {
        crc ^= *p++;
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return ~crc;
}
static void send_payload(int kind, uint16_t stream, uint32_t sequence, double stamp, const void *body, uint32_t size) {
    uint8_t f[2048] = {0xA7, 'M', 'S', 'F'}, *p = f + 12; /* body: at most 2016 bytes */
    uint32_t n = 16 + size, inverted = ~n, crc, done = 0;
    memcpy(f + 4, &n, 4), memcpy(f + 8, &inverted, 4);
    p[0] = kind, p[1] = 1, memcpy(p + 2, &stream, 2), memcpy(p + 4, &sequence, 4), memcpy(p + 8, &stamp, 8);
    memcpy(p + 16, body, size), crc = crc32(p, n), memcpy(p + n, &crc, 4);
    for (ssize_t sent; done < n + 16; done += sent) if ((sent = write(sock, f + done, n + 16 - done)) < 0) exit(1);
}
int main(int argc, char **argv) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(argc > 2 ? atoi(argv[2]) : 9750)};
    const char *coil = "{\"name\":\"coil in C\",\"kind\":\"sensor\",\"clock\":\"utc\",\"rate\":50,\"lag_error\":0.005,\"note\":\"SYNTHETIC\",\"sensor\":"
        "{\"type\":\"Sensor\",\"name\":\"coil in C\",\"kind\":\"emi\",\"axis\":[2e-5,8e-5],\"lever_arms\":[[0,0.4,0]]}}";
    const char *gnss = "{\"name\":\"gnss in C\",\"kind\":\"position\",\"clock\":\"utc\",\"rate\":50,\"lag_error\":0.005,\"note\":\"SYNTHETIC\",\"coordinates\":"
        "\"local\",\"frame\":{\"crs\":\"local\",\"origin\":\"start\"},\"height_datum\":\"local\",\"lever_arm\":[0,0,1.2]}";
    inet_pton(AF_INET, argc > 1 ? argv[1] : "127.0.0.1", &to.sin_addr);
    if ((sock = socket(AF_INET, SOCK_STREAM, 0)) < 0 || connect(sock, (struct sockaddr *)&to, sizeof to)) return 1;
    send_payload(1, 0, 0, 0, coil, strlen(coil)), send_payload(1, 1, 0, 0, gnss, strlen(gnss));
    double start = time(NULL);
    for (uint32_t k = 0; k < 50 * (argc > 3 ? atof(argv[3]) : 10); k++, usleep(20000)) {
        struct { double place[3]; float error, heading, pitch, roll, height; uint8_t fix, zero[3]; } at =
            {{0, 0.01 * k, 0}, 0.02f, 0, NAN, NAN, NAN, 4, {0}};
        struct { uint32_t flags; uint16_t channels, samples; float sample[2]; } scan = {0, 1, 2, {0}};
        for (int g = 0; g < 2; g++) scan.sample[g] = rand() % 100 / 50.0 - 1 + 300 / (1 + g) * exp(-pow((0.01 * k - 1.6) / 0.2, 2));
        send_payload(3, 1, k, start + 0.02 * k, &at, sizeof at), send_payload(2, 0, k, start + 0.02 * k, &scan, sizeof scan);
    }
    return close(sock);
}
