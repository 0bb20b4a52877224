/* Peers whose known faults are put up with, by the software that their version line names. The line
 * is part of what the exchange hash signs, so nobody on the way can make a peer pass for another.
 */
#include <string.h>

#include "transport/engine.h"

/* An entry that ends with "_" stands for every version. */
static bool is_in(struct bytes software, const char *const *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(entries[i]);
        bool is_family = entries[i][len - 1] == '_';
        if (is_family ? software.n >= len && memcmp(software.p, entries[i], len) == 0
                      : bytes_is(software, entries[i]))
            return true;
    }
    return false;
}

/* RFC 4253 section 7.1 has a peer send nothing of the connection protocol between its KEXINIT and
 * its NEWKEYS.
 *
 * AsyncSSH held it all back until 2.14.0, lost that in 2.14.1 with the repair of CVE-2023-46445,
 * and has it again from 2.15.0; Debian 12 patched the same repair into 2.10.1. What its application
 * writes in between goes out at once: under load, eight packets of bulk data.
 *
 * Paramiko, in all its versions so far, answers global requests and channel opens at once, in an
 * exchange that it started too.
 *
 * What they may send so is what any peer may send after our KEXINIT and before its own, by the same
 * rules: it is logged in, the packets are sealed with the keys still in force, its windows bound
 * the data, TX_HELD_LIMIT what it makes us owe, and the deadline of key exchanges how long it
 * lasts. Before login, and in the first exchange, no peer may. */
bool quirk_talks_in_rekey(struct bytes software)
{
    static const char *const faulty[] = {
        "AsyncSSH_2.10.1", "AsyncSSH_2.14.1", "AsyncSSH_2.14.2", "paramiko_"};
    return is_in(software, faulty, sizeof faulty / sizeof faulty[0]);
}
