/* Throw-away keys as ssh-keygen wrote them, with their public halves as base64, their fingerprints,
 * and signature blobs over "sample" that OpenSSL made (RSA's and Ed25519's signatures are always
 * deterministic, ECDSA's by RFC 6979). The locked ones have the
 * passphrase "correct horse", the first under aes256-ctr, the other under aes256-cbc. */
#ifndef TESTS_UNIT_CRYPTO_SAMPLE_KEYS_H
#define TESTS_UNIT_CRYPTO_SAMPLE_KEYS_H

static const char sample_ed25519_file[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"
    "QyNTUxOQAAACCoaOC6Tx6EWOA1y4hKl7ArXyNv4aOtQtnHzk+OQiwrsAAAAKDVvIWo1byF\n"
    "qAAAAAtzc2gtZWQyNTUxOQAAACCoaOC6Tx6EWOA1y4hKl7ArXyNv4aOtQtnHzk+OQiwrsA\n"
    "AAAEDaFWwaQMxc4VPyknnaxVB7LSIbnOGiD9Gi2lSgiyIf8aho4LpPHoRY4DXLiEqXsCtf\n"
    "I2/ho61C2cfOT45CLCuwAAAAFnRocm93LWF3YXkgZWQyNTUxOSAyNTYBAgMEBQYH\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static const char sample_ed25519_public[] =
    "AAAAC3NzaC1lZDI1NTE5AAAAIKho4LpPHoRY4DXLiEqXsCtfI2/ho61C2cfOT45CLCuw";

static const char sample_ed25519_fingerprint[] =
    "SHA256:tOXE7H/UJX/KuJpj1Xpp5FMa1bU6Fsk/80CsKL7Gp6s";

static const char sample_ed25519_signature[] =
    "0000000b7373682d65643235353139000000400350c49b94ada9669f2ddab7a206bcea9ffcf97929"
    "eb601e88aca1731fca1f21846aad461032d681589c7c47ddf7a353853a44e91445bb4db4884c97d9"
    "43be01";

static const char sample_rsa_file[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAABFwAAAAdzc2gtcn\n"
    "NhAAAAAwEAAQAAAQEAv/lxsWvhtl6GZUfi3G8fBZG2QTC5ombbwRl+GmRwqG//EOB/h1i6\n"
    "W1L9XVIq+8EdnbLC6fQt2mchQeYvixF+9wcB/doXm877eXQY+q0x5uOqJFMo0GoAtqP+GZ\n"
    "qW+2mxNH/YESbNUG+/tlr06xOcJqsj8vWxR74zF/cw+FkpyrHNnfPmItxqIJF5L1IHVMvD\n"
    "uFDIGDzuMEJPizdErGTRRUgaTFTR3CsSnS11c45UFCq+2vP5+8gS2aNHO0cExXxpoSI0LG\n"
    "FRCI+Yc0XCTH5BrPrWUfw45RaROHmQns/y1v4Xno9tcvpbIAq7mBBMZAGjSn9wiqXZJj4Y\n"
    "Gmt0Uz5uswAAA9D5uTQU+bk0FAAAAAdzc2gtcnNhAAABAQC/+XGxa+G2XoZlR+Lcbx8Fkb\n"
    "ZBMLmiZtvBGX4aZHCob/8Q4H+HWLpbUv1dUir7wR2dssLp9C3aZyFB5i+LEX73BwH92heb\n"
    "zvt5dBj6rTHm46okUyjQagC2o/4Zmpb7abE0f9gRJs1Qb7+2WvTrE5wmqyPy9bFHvjMX9z\n"
    "D4WSnKsc2d8+Yi3GogkXkvUgdUy8O4UMgYPO4wQk+LN0SsZNFFSBpMVNHcKxKdLXVzjlQU\n"
    "Kr7a8/n7yBLZo0c7RwTFfGmhIjQsYVEIj5hzRcJMfkGs+tZR/DjlFpE4eZCez/LW/heej2\n"
    "1y+lsgCruYEExkAaNKf3CKpdkmPhgaa3RTPm6zAAAAAwEAAQAAAQAU5bRomdPCJFwA3mhl\n"
    "knsQAiKSyhkLAqNdS8ccXF6fF0HutmFrfE8c7dXCuNUQ/p6YsgLhsMDlC2DlaYc3Xjox7c\n"
    "NbvMfhIBDj0a1+bCgIeDPnLF4/Aar+Nq/MXbWdvI2bp2b/xveGkAOQeCo9BK90ziBlrDUW\n"
    "GDA7pZ7hCeOwuqXdB8ZQ6PWKSGtkZzX+XtC+j7C7+GTBXPSepwqevDa16mg8wfhBE/yjWq\n"
    "NELKdhz9pzgz7PIvp5PD/l0cJ/unHaqNsSymb42l7HVSso38NWxcDCh8KcmVd3QIycTVxS\n"
    "RGtcIc4Xd3iW1SZXN4KBTS7pENQTSZpdBIRx1An4mzrRAAAAgQC33QiARH8GGpOHdbXNG3\n"
    "DHdbk7DbhCO5L2BBEpCsqDg+PyqGeS7lro+kSvgs5YTikFr1ndBosGjbzLpzGy/3MmBw0y\n"
    "LuBMZKMt2gwNqIPf7Nv8vq85QKeeCAQcPm3BhuA4XuKZpTXtH0d/uDU1qVQUu9IAKMpGu4\n"
    "wxP0jB4OpNSAAAAIEA49zJ6vdHbUdmXG+//5yqcKL5Gxg6WmXiC5nH/88+cyq/o9n2jjhg\n"
    "+c9alOTnTHu6hXr+Zlvf1BXGr8dS3kFcjRsYQiLDyvrukNiAIP9dmu1KDdk9YifjExOa5W\n"
    "BZhHv4mBXLtDn5nboBLn7C3zI4Sr6o2o6sbKj8Mv6sV+FjHGUAAACBANeuKH9YGtIZ5838\n"
    "+6jtbO3W9aokNoMTu/yeaPq8CNGTR7i4MSgvuva8xMnG/nXQ4FFeUcnL6ML0td4SN3VWOu\n"
    "7tuDXM2Ia505F7xQnLn4gDL52di1bn1Wa53JexOOcVmCK3loBDo/DGN5WyrZtidQJ8fTFJ\n"
    "yI/HARtadIziNDE3AAAAE3Rocm93LWF3YXkgcnNhIDIwNDgBAgMEBQYH\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static const char sample_rsa_public[] =
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQC/+XGxa+G2XoZlR+Lcbx8FkbZBMLmiZtvBGX4aZHCob/8Q4H+H"
    "WLpbUv1dUir7wR2dssLp9C3aZyFB5i+LEX73BwH92hebzvt5dBj6rTHm46okUyjQagC2o/4Zmpb7abE0"
    "f9gRJs1Qb7+2WvTrE5wmqyPy9bFHvjMX9zD4WSnKsc2d8+Yi3GogkXkvUgdUy8O4UMgYPO4wQk+LN0Ss"
    "ZNFFSBpMVNHcKxKdLXVzjlQUKr7a8/n7yBLZo0c7RwTFfGmhIjQsYVEIj5hzRcJMfkGs+tZR/DjlFpE4"
    "eZCez/LW/heej21y+lsgCruYEExkAaNKf3CKpdkmPhgaa3RTPm6z";

static const char sample_rsa_fingerprint[] = "SHA256:eQzK67aTtX7c87nroxFR5j8waGPPoucSOsX1L+UPjOE";

static const char sample_rsa_signature_256[] =
    "0000000c7273612d736861322d323536000001008e0721b05f15e142e1597e6da4b5483901bf217b"
    "60cc49a2c6f1365585876208e405822c27007e59ced2e48328b3c27d380fcc5bbf041321d65b7aec"
    "2c47c5079cb8d0e3e2e05fd60d1d5c5f1cf24a948c87c373568764e4368235ace3cee2494648fa90"
    "8b92c8eea06d8cf5c0732263570a43c54f82d6a92629b98dcbdf02ca1c24b3d1111302a2a9ec8819"
    "4f6b2a995bcfe2e7d79eea5283e360535fda7f747c675650931e2ca5a169ec6d2bc7802a5f68ca18"
    "172d2ca7c9746682c6fea025803ff7931621f370f794fdfdf373ec8fa3d846f8516d013934a53768"
    "6ace817f009238b629293b686aa1ae32a0bc4d55df5f6805dcdb3f2d82312c147b3973c0";

static const char sample_rsa_signature_sha1[] =
    "000000077373682d72736100000100043d663cc786a0ffaaece31abaa98411b5f9b1ee8236d4cb77"
    "2190697268d1a93e66f65e68fc151db169bda0dd820bc062465355229089d21a5763b67e0278676c"
    "f012c5c306c9106e0a1c648cb8a1708f5e436b886a7efb38d6c4969582f36946952f0d53aba3af01"
    "c36fc9cff407d0f3d30718ae2821681167926400e68bd22a306e63a3d827e31cd44b4c377f62540b"
    "bbc758702dd31896ef1256267d78d9b9813e72bc4d52c6aa6933b1c4f93dccf590b96b7b5a0374c7"
    "1ae5720770f912a3b13a5736f65760f3ed28d8c0aae5293351c13c60af86157697d9f732cd49811b"
    "f6ef8addc7c9b4b978325f24c0164f7a2e5154360ec1953f7dfbd22fb1692e";

static const char sample_rsa_signature_512[] =
    "0000000c7273612d736861322d353132000001006b52d80d8ecef2d1129e99f121f17335cdeb4348"
    "85c4b85e1f5e8e99da03d3bc7d67f0305da8eca5e91e215949e5a0d815087db7235327c7a1e9e381"
    "f6a1cf857eae526083658b3ea056162b48e61fe221b1dabfd08338622ddaa7c667680a0a716bcbed"
    "4010841957fff4e9c00e7ff3900ddc8c0d865b6bd1fd84417775d5e9f03e22b0b38b67d293e04684"
    "b051faa06f438eaf16e42a17ee53911cf0bd577df32340360d2dbe490b31d53c603e6c46d7eddffe"
    "4d1f40c10670e7beb42c31b6559c584b2c73fb6b9f27cd4f19730f3113ff9d8e42b355fd377495ba"
    "00a5f0f22ce9543f861c5628aa3d7edceb1e1001e17988de0bfdc966d08ac44f70abc75c";

static const char sample_p256_file[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAaAAAABNlY2RzYS\n"
    "1zaGEyLW5pc3RwMjU2AAAACG5pc3RwMjU2AAAAQQQwA5eEz5Umbg0GVfk3NA92OqdXuReo\n"
    "N9tKooVvumCJco6ZF2UGC6POEEhnV0SnUSDwZD6qF5gikEV4kEp7xJjFAAAAsBdLEAAXSx\n"
    "AAAAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBDADl4TPlSZuDQZV\n"
    "+Tc0D3Y6p1e5F6g320qihW+6YIlyjpkXZQYLo84QSGdXRKdRIPBkPqoXmCKQRXiQSnvEmM\n"
    "UAAAAhANJ0950pMk01gue3o49UxS7oI1mkt0Y/xwRWT/PEkhpFAAAAFHRocm93LWF3YXkg\n"
    "ZWNkc2EgMjU2AQID\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static const char sample_p256_public[] =
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBDADl4TPlSZuDQZV+Tc0D3Y6p1e5"
    "F6g320qihW+6YIlyjpkXZQYLo84QSGdXRKdRIPBkPqoXmCKQRXiQSnvEmMU=";

static const char sample_p256_fingerprint[] = "SHA256:Le6jB0Tos1h+XL1j7khuZmEXSKtDEIzoj3r7OqW2KeY";

static const char sample_p256_signature[] =
    "0000001365636473612d736861322d6e69737470323536000000490000002100c2835e390e07117b"
    "0d944c1c58c380ff8dc6721fbac57ed4e83647c0f70a92f0000000207f984e490972d9341b75f1fc"
    "0f05101d816f66feddca751e52cba0e555630f2b";

static const char sample_p384_file[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAiAAAABNlY2RzYS\n"
    "1zaGEyLW5pc3RwMzg0AAAACG5pc3RwMzg0AAAAYQQw1mkYlYu9/B1ROm+g0X4/pB751QFY\n"
    "UqFcgXI5p+G+06bSfZ5EF74pItkDQHDs8/zKg/4v6LzBRv8oQo0TJkCrTMN5YxUqBeasCr\n"
    "2ufXu8cxiXNSGfHVaMygohvgYZKOEAAADgBG0xmgRtMZoAAAATZWNkc2Etc2hhMi1uaXN0\n"
    "cDM4NAAAAAhuaXN0cDM4NAAAAGEEMNZpGJWLvfwdUTpvoNF+P6Qe+dUBWFKhXIFyOafhvt\n"
    "Om0n2eRBe+KSLZA0Bw7PP8yoP+L+i8wUb/KEKNEyZAq0zDeWMVKgXmrAq9rn17vHMYlzUh\n"
    "nx1WjMoKIb4GGSjhAAAAMQC+xujlRzm5qckTCfku0fl8UGevnF7Ajnkx5bMMeU+3drNq8C\n"
    "xSSMrYHgANTVmM9lYAAAAUdGhyb3ctYXdheSBlY2RzYSAzODQBAgM=\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static const char sample_p384_public[] =
    "AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBDDWaRiVi738HVE6b6DRfj+kHvnV"
    "AVhSoVyBcjmn4b7TptJ9nkQXviki2QNAcOzz/MqD/i/ovMFG/yhCjRMmQKtMw3ljFSoF5qwKva59e7xz"
    "GJc1IZ8dVozKCiG+Bhko4Q==";

static const char sample_p384_fingerprint[] = "SHA256:n8xx2XLBuo9PeYd07254ZxDdCd/wOv6EB47NYRFrIZg";

static const char sample_p384_signature[] =
    "0000001365636473612d736861322d6e6973747033383400000069000000306e699572c1edf97dc3"
    "c2d379eb3dd69da68342322578348f9ed164ea608dd4f0caf0d4a6e6b2474fe5ef2bcd8d4c766000"
    "00003100b3a20ce13c67f3b5316ca796faa8561e8c2f962e5cc9bc5dc6104266b6fa7c2eac7d0f9d"
    "cb4ea2801cc86c2d43f3e158";

static const char sample_p521_file[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAArAAAABNlY2RzYS\n"
    "1zaGEyLW5pc3RwNTIxAAAACG5pc3RwNTIxAAAAhQQBi+jTJXzMS1wV35c8vr43oLFHlgHG\n"
    "vhZhSdUpfUNsmbS3pzuirbtw5TuQVqzMlHS43E0A8lpY4UsbnUAa454DncUBL1TzDLEq0e\n"
    "lobkXXT71Wki6Xb3uJGQgCFYwzNoWbcpu6mo/lchyeEKBicW1qBFjY57XZQa1dwFLOu9Hw\n"
    "5fXpR+cAAAEYTDivS0w4r0sAAAATZWNkc2Etc2hhMi1uaXN0cDUyMQAAAAhuaXN0cDUyMQ\n"
    "AAAIUEAYvo0yV8zEtcFd+XPL6+N6CxR5YBxr4WYUnVKX1DbJm0t6c7oq27cOU7kFaszJR0\n"
    "uNxNAPJaWOFLG51AGuOeA53FAS9U8wyxKtHpaG5F10+9VpIul297iRkIAhWMMzaFm3Kbup\n"
    "qP5XIcnhCgYnFtagRY2Oe12UGtXcBSzrvR8OX16UfnAAAAQgGWGlYVvVI2YUPZIEfGsVAh\n"
    "JWNMRathgDyIbq2/4gm79h2DzLnssZytNR1LlunuDogTiWo4u6orOhXBkiTDpRvTdwAAAB\n"
    "R0aHJvdy1hd2F5IGVjZHNhIDUyMQECAwQFBg==\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static const char sample_p521_public[] =
    "AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAGL6NMlfMxLXBXflzy+vjegsUeW"
    "Aca+FmFJ1Sl9Q2yZtLenO6Ktu3DlO5BWrMyUdLjcTQDyWljhSxudQBrjngOdxQEvVPMMsSrR6WhuRddP"
    "vVaSLpdve4kZCAIVjDM2hZtym7qaj+VyHJ4QoGJxbWoEWNjntdlBrV3AUs670fDl9elH5w==";

static const char sample_p521_fingerprint[] = "SHA256:WW0/DL77C3bk9faT+yclk28zJ2TaBUF0Uak40mG4Jzo";

static const char sample_p521_signature[] =
    "0000001365636473612d736861322d6e697374703532310000008b000000410b5ccebbd2b09fa881"
    "4863bf260dddb31c935c941650fb0634f993e2c2de5583705c8874139fa6e53722e3baf21252bee7"
    "9d2146826aca744ea5cea5b23f6efd330000004201aa2c3dfc69fe8fba18cc692fa61a0650ac4f9e"
    "dd0e32361a0c7dc0bd04b1b024a75d306f95381dc59e88d85476ffffda5dd66fa50a80316f5eefc1"
    "150d4879b588";

static const char sample_locked_file[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDnP/oajd\n"
    "EmdQKNRoafQUrbAAAAAgAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIBk1sIGBFoRIRI+l\n"
    "Q/DT8sSX5+DoZcjm+wTTPJgMY9N1AAAAkGmbTrBeTEi6T493UjEMYNOA21XlJ3U6ZxTgoP\n"
    "kYWhtdH9AjozBasY7hdaL5ZGYChzZhll8zlnQ1pt7n/d/vvxYPoh8jpnsbMwiRIJFZXg4u\n"
    "fng2kcrniyadZyEmc8dP9bBiOKMs6Q3E1k9NmmHvgo8i+SYjA/59HUrbO7Q442riEFPvcj\n"
    "5uKAlj0eyt7mznyw==\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static const char sample_locked_public[] =
    "AAAAC3NzaC1lZDI1NTE5AAAAIBk1sIGBFoRIRI+lQ/DT8sSX5+DoZcjm+wTTPJgMY9N1";

static const char sample_locked_cbc_file[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jYmMAAAAGYmNyeXB0AAAAGAAAABCqlFqGB3\n"
    "ZOdTHHv9ucN92KAAAAAQAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAILRu/TAxrTmLiVI+\n"
    "fbu7TOiI4iVtDKc6/d3j8RzROxykAAAAoE0PoLZDxujEmDT2CdSGnWEf2XeuILvzqXXh0T\n"
    "INOJwQVa9zQ3KM7TZ5lFslxJnelws4YjqvM4BDi3Fvpyj9g/JJUM/0X2v+Vcg4xTzPaUJC\n"
    "awBuMco2I5yU2zAQLY+b5ITjC7+JvqdjNaIy9ls001mCJEFtl3XgNpa2fszGhgPYk3K3Ux\n"
    "s65d0HaYPYB6jy4FaIG1baPtvXSuQlH/nAA8Q=\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static const char sample_locked_cbc_public[] =
    "AAAAC3NzaC1lZDI1NTE5AAAAILRu/TAxrTmLiVI+fbu7TOiI4iVtDKc6/d3j8RzROxyk";

#endif
