/* Host certificates: does an authority of known_hosts vouch for this server?
 *
 * As with ssh, a certificate that no @cert-authority line covers, or that is not good (expired, for
 * another name, ...), is no more than the key inside it, which is then looked up like any other.
 * One whose key or authority is @revoked is refused. */
#ifndef CLI_HOST_CERT_H
#define CLI_HOST_CERT_H

#include "cli/hosts.h"
#include "crypto/cert.h"

enum host_cert {
    HOST_CERT_REFUSED = 0, /* revoked, or known_hosts could not be read: *answer says which */
    HOST_CERT_TRUSTED,
    HOST_CERT_PLAIN, /* no certificate, or not one that counts: go on with cert_plain_blob() */
};

/* key is what the server showed, certificate or not. What is found is said here, except for
 * REFUSED. */
enum host_cert host_cert_decide(const struct options *o, const struct hosts_query *q,
    struct bytes key, struct hosts_answer *answer);

#endif
