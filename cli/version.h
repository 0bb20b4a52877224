/* What adit and aditd call themselves. */
#ifndef CLI_VERSION_H
#define CLI_VERSION_H

#define ADIT_VERSION  "0.1"
#define ADIT_SOFTWARE "adit_" ADIT_VERSION /* in the version line, after "SSH-2.0-" */

#endif
