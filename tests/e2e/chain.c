/* chain: checks the hash chain of a journal on its own, from the format's description and not with the program's code:
 * the last member of each line, "chain", is sha256(the chain of the line before, as text + the line without that member).
 *   chain FILE        0 and "N lines" when it holds, 1 and the first line where it doesn't */
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK ",\"chain\":\""
#define HEX 64

static void hex_of(const unsigned char *digest, unsigned len, char *hex)
{
    for (unsigned i = 0; i < len; i++)
        sprintf(hex + 2 * i, "%02x", digest[i]);
}

static void sum(const char *before, const char *text, size_t len, char *hex)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_DigestInit_ex(md, EVP_sha256(), NULL);
    EVP_DigestUpdate(md, before, strlen(before));
    EVP_DigestUpdate(md, text, len);
    EVP_DigestUpdate(md, "}", 1);
    EVP_DigestFinal_ex(md, digest, &size);
    EVP_MD_CTX_free(md);
    hex_of(digest, size, hex);
}

/* One line without its newline; `chain` is that of the line before and becomes this one's. */
static bool holds(const char *line, size_t len, char chain[HEX + 1])
{
    const size_t tail = strlen(MARK) + HEX + 2; /* ,"chain":"...", the closing quote and the brace */
    char is[2 * EVP_MAX_MD_SIZE + 1] = "";
    if (len <= tail || memcmp(line + len - tail, MARK, strlen(MARK)) != 0)
        return false;
    sum(chain, line, len - tail, is);
    bool same = memcmp(is, line + len - HEX - 2, HEX) == 0;
    memcpy(chain, is, HEX);
    chain[HEX] = '\0';
    return same;
}

int main(int argc, char **argv)
{
    FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;
    char chain[HEX + 1] = "", *line = NULL;
    size_t size = 0, n = 0;
    bool good = f != NULL;
    for (ssize_t len; f && good && (len = getline(&line, &size, f)) > 0;) {
        n++;
        good = line[len - 1] == '\n' && holds(line, (size_t)len - 1, chain);
    }
    if (f)
        fclose(f);
    free(line);
    printf(good ? "%zu lines\n" : "The chain breaks at line %zu.\n", n);
    return !good || n == 0;
}
