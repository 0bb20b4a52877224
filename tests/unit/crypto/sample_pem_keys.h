/* Throw-away keys in the formats that are not OpenSSH's, and OpenSSH's under every kind of cipher.
 * Those in PEM without a passphrase, and those behind DEK-Info, are sample_keys.h's keys as
 * ssh-keygen -m and openssl wrote them; the locked ones in PKCS #8 and in OpenSSH's format are its
 * Ed25519 key with the passphrase "correct horse" and one to three rounds. The refused ones are of
 * kinds that are not read. */
#ifndef TESTS_UNIT_CRYPTO_SAMPLE_PEM_KEYS_H
#define TESTS_UNIT_CRYPTO_SAMPLE_PEM_KEYS_H

static const char sample_pkcs1_rsa[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIEpAIBAAKCAQEAv/lxsWvhtl6GZUfi3G8fBZG2QTC5ombbwRl+GmRwqG//EOB/\n"
    "h1i6W1L9XVIq+8EdnbLC6fQt2mchQeYvixF+9wcB/doXm877eXQY+q0x5uOqJFMo\n"
    "0GoAtqP+GZqW+2mxNH/YESbNUG+/tlr06xOcJqsj8vWxR74zF/cw+FkpyrHNnfPm\n"
    "ItxqIJF5L1IHVMvDuFDIGDzuMEJPizdErGTRRUgaTFTR3CsSnS11c45UFCq+2vP5\n"
    "+8gS2aNHO0cExXxpoSI0LGFRCI+Yc0XCTH5BrPrWUfw45RaROHmQns/y1v4Xno9t\n"
    "cvpbIAq7mBBMZAGjSn9wiqXZJj4YGmt0Uz5uswIDAQABAoIBABTltGiZ08IkXADe\n"
    "aGWSexACIpLKGQsCo11LxxxcXp8XQe62YWt8Txzt1cK41RD+npiyAuGwwOULYOVp\n"
    "hzdeOjHtw1u8x+EgEOPRrX5sKAh4M+csXj8Bqv42r8xdtZ28jZunZv/G94aQA5B4\n"
    "Kj0Er3TOIGWsNRYYMDulnuEJ47C6pd0HxlDo9YpIa2RnNf5e0L6PsLv4ZMFc9J6n\n"
    "Cp68NrXqaDzB+EET/KNao0Qsp2HP2nODPs8i+nk8P+XRwn+6cdqo2xLKZvjaXsdV\n"
    "Kyjfw1bFwMKHwpyZV3dAjJxNXFJEa1whzhd3eJbVJlc3goFNLukQ1BNJml0EhHHU\n"
    "CfibOtECgYEA49zJ6vdHbUdmXG+//5yqcKL5Gxg6WmXiC5nH/88+cyq/o9n2jjhg\n"
    "+c9alOTnTHu6hXr+Zlvf1BXGr8dS3kFcjRsYQiLDyvrukNiAIP9dmu1KDdk9Yifj\n"
    "ExOa5WBZhHv4mBXLtDn5nboBLn7C3zI4Sr6o2o6sbKj8Mv6sV+FjHGUCgYEA164o\n"
    "f1ga0hnnzfz7qO1s7db1qiQ2gxO7/J5o+rwI0ZNHuLgxKC+69rzEycb+ddDgUV5R\n"
    "ycvowvS13hI3dVY67u24NczYhrnTkXvFCcufiAMvnZ2LVufVZrncl7E45xWYIreW\n"
    "gEOj8MY3lbKtm2J1Anx9MUnIj8cBG1p0jOI0MTcCgYBwEcJ5vx8xPyG4KvpKlNo7\n"
    "RdyxF8xzc5Km0/7K8Tos2ISi6Ovb7Ry9IN/TRXYBZwVI60I+Q8elfwRWpfk6+Pi1\n"
    "KfNXa9PSfHJjaSgzkoWOUlDO2N7Y7PdBBa50TFwazgJpgqbKwIzlp3s3S/86WW/Y\n"
    "S0evHubtFnvb9Of83QyrBQKBgQCGxL1rbSs9M5DEBxtdoBYbu+E/0mb5msAxhu6E\n"
    "FjDQe94qD3Yv7Ts/aA7zIlPoXH9+eJhUpwSnpW9q9ykOObaTi5k6jOiTrtQDqToi\n"
    "98iUnaEINORXhn+zM9oiM0wiIT0yHFN/jESJc+JRuRd/65K/3fgAb2FSbgBEDk6b\n"
    "pdEFGwKBgQC33QiARH8GGpOHdbXNG3DHdbk7DbhCO5L2BBEpCsqDg+PyqGeS7lro\n"
    "+kSvgs5YTikFr1ndBosGjbzLpzGy/3MmBw0yLuBMZKMt2gwNqIPf7Nv8vq85QKee\n"
    "CAQcPm3BhuA4XuKZpTXtH0d/uDU1qVQUu9IAKMpGu4wxP0jB4OpNSA==\n"
    "-----END RSA PRIVATE KEY-----\n";

static const char sample_pkcs8_rsa[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC/+XGxa+G2XoZl\n"
    "R+Lcbx8FkbZBMLmiZtvBGX4aZHCob/8Q4H+HWLpbUv1dUir7wR2dssLp9C3aZyFB\n"
    "5i+LEX73BwH92hebzvt5dBj6rTHm46okUyjQagC2o/4Zmpb7abE0f9gRJs1Qb7+2\n"
    "WvTrE5wmqyPy9bFHvjMX9zD4WSnKsc2d8+Yi3GogkXkvUgdUy8O4UMgYPO4wQk+L\n"
    "N0SsZNFFSBpMVNHcKxKdLXVzjlQUKr7a8/n7yBLZo0c7RwTFfGmhIjQsYVEIj5hz\n"
    "RcJMfkGs+tZR/DjlFpE4eZCez/LW/heej21y+lsgCruYEExkAaNKf3CKpdkmPhga\n"
    "a3RTPm6zAgMBAAECggEAFOW0aJnTwiRcAN5oZZJ7EAIiksoZCwKjXUvHHFxenxdB\n"
    "7rZha3xPHO3VwrjVEP6emLIC4bDA5Qtg5WmHN146Me3DW7zH4SAQ49GtfmwoCHgz\n"
    "5yxePwGq/javzF21nbyNm6dm/8b3hpADkHgqPQSvdM4gZaw1FhgwO6We4QnjsLql\n"
    "3QfGUOj1ikhrZGc1/l7Qvo+wu/hkwVz0nqcKnrw2tepoPMH4QRP8o1qjRCynYc/a\n"
    "c4M+zyL6eTw/5dHCf7px2qjbEspm+Npex1UrKN/DVsXAwofCnJlXd0CMnE1cUkRr\n"
    "XCHOF3d4ltUmVzeCgU0u6RDUE0maXQSEcdQJ+Js60QKBgQDj3Mnq90dtR2Zcb7//\n"
    "nKpwovkbGDpaZeILmcf/zz5zKr+j2faOOGD5z1qU5OdMe7qFev5mW9/UFcavx1Le\n"
    "QVyNGxhCIsPK+u6Q2IAg/12a7UoN2T1iJ+MTE5rlYFmEe/iYFcu0OfmdugEufsLf\n"
    "MjhKvqjajqxsqPwy/qxX4WMcZQKBgQDXrih/WBrSGefN/Puo7Wzt1vWqJDaDE7v8\n"
    "nmj6vAjRk0e4uDEoL7r2vMTJxv510OBRXlHJy+jC9LXeEjd1Vjru7bg1zNiGudOR\n"
    "e8UJy5+IAy+dnYtW59VmudyXsTjnFZgit5aAQ6PwxjeVsq2bYnUCfH0xSciPxwEb\n"
    "WnSM4jQxNwKBgHARwnm/HzE/Ibgq+kqU2jtF3LEXzHNzkqbT/srxOizYhKLo69vt\n"
    "HL0g39NFdgFnBUjrQj5Dx6V/BFal+Tr4+LUp81dr09J8cmNpKDOShY5SUM7Y3tjs\n"
    "90EFrnRMXBrOAmmCpsrAjOWnezdL/zpZb9hLR68e5u0We9v05/zdDKsFAoGBAIbE\n"
    "vWttKz0zkMQHG12gFhu74T/SZvmawDGG7oQWMNB73ioPdi/tOz9oDvMiU+hcf354\n"
    "mFSnBKelb2r3KQ45tpOLmTqM6JOu1AOpOiL3yJSdoQg05FeGf7Mz2iIzTCIhPTIc\n"
    "U3+MRIlz4lG5F3/rkr/d+ABvYVJuAEQOTpul0QUbAoGBALfdCIBEfwYak4d1tc0b\n"
    "cMd1uTsNuEI7kvYEESkKyoOD4/KoZ5LuWuj6RK+CzlhOKQWvWd0GiwaNvMunMbL/\n"
    "cyYHDTIu4Exkoy3aDA2og9/s2/y+rzlAp54IBBw+bcGG4Dhe4pmlNe0fR3+4NTWp\n"
    "VBS70gAoyka7jDE/SMHg6k1I\n"
    "-----END PRIVATE KEY-----\n";

static const char sample_sec1_p256[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEINJ0950pMk01gue3o49UxS7oI1mkt0Y/xwRWT/PEkhpFoAoGCCqGSM49\n"
    "AwEHoUQDQgAEMAOXhM+VJm4NBlX5NzQPdjqnV7kXqDfbSqKFb7pgiXKOmRdlBguj\n"
    "zhBIZ1dEp1Eg8GQ+qheYIpBFeJBKe8SYxQ==\n"
    "-----END EC PRIVATE KEY-----\n";

static const char sample_pkcs8_p256[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0nT3nSkyTTWC57ej\n"
    "j1TFLugjWaS3Rj/HBFZP88SSGkWhRANCAAQwA5eEz5Umbg0GVfk3NA92OqdXuReo\n"
    "N9tKooVvumCJco6ZF2UGC6POEEhnV0SnUSDwZD6qF5gikEV4kEp7xJjF\n"
    "-----END PRIVATE KEY-----\n";

static const char sample_sec1_p384[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIGkAgEBBDC+xujlRzm5qckTCfku0fl8UGevnF7Ajnkx5bMMeU+3drNq8CxSSMrY\n"
    "HgANTVmM9lagBwYFK4EEACKhZANiAAQw1mkYlYu9/B1ROm+g0X4/pB751QFYUqFc\n"
    "gXI5p+G+06bSfZ5EF74pItkDQHDs8/zKg/4v6LzBRv8oQo0TJkCrTMN5YxUqBeas\n"
    "Cr2ufXu8cxiXNSGfHVaMygohvgYZKOE=\n"
    "-----END EC PRIVATE KEY-----\n";

static const char sample_pkcs8_p384[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDC+xujlRzm5qckTCfku\n"
    "0fl8UGevnF7Ajnkx5bMMeU+3drNq8CxSSMrYHgANTVmM9lahZANiAAQw1mkYlYu9\n"
    "/B1ROm+g0X4/pB751QFYUqFcgXI5p+G+06bSfZ5EF74pItkDQHDs8/zKg/4v6LzB\n"
    "Rv8oQo0TJkCrTMN5YxUqBeasCr2ufXu8cxiXNSGfHVaMygohvgYZKOE=\n"
    "-----END PRIVATE KEY-----\n";

static const char sample_sec1_p521[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIHcAgEBBEIBlhpWFb1SNmFD2SBHxrFQISVjTEWrYYA8iG6tv+IJu/Ydg8y57LGc\n"
    "rTUdS5bp7g6IE4lqOLuqKzoVwZIkw6Ub03egBwYFK4EEACOhgYkDgYYABAGL6NMl\n"
    "fMxLXBXflzy+vjegsUeWAca+FmFJ1Sl9Q2yZtLenO6Ktu3DlO5BWrMyUdLjcTQDy\n"
    "WljhSxudQBrjngOdxQEvVPMMsSrR6WhuRddPvVaSLpdve4kZCAIVjDM2hZtym7qa\n"
    "j+VyHJ4QoGJxbWoEWNjntdlBrV3AUs670fDl9elH5w==\n"
    "-----END EC PRIVATE KEY-----\n";

static const char sample_pkcs8_p521[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIBlhpWFb1SNmFD2SBH\n"
    "xrFQISVjTEWrYYA8iG6tv+IJu/Ydg8y57LGcrTUdS5bp7g6IE4lqOLuqKzoVwZIk\n"
    "w6Ub03ehgYkDgYYABAGL6NMlfMxLXBXflzy+vjegsUeWAca+FmFJ1Sl9Q2yZtLen\n"
    "O6Ktu3DlO5BWrMyUdLjcTQDyWljhSxudQBrjngOdxQEvVPMMsSrR6WhuRddPvVaS\n"
    "Lpdve4kZCAIVjDM2hZtym7qaj+VyHJ4QoGJxbWoEWNjntdlBrV3AUs670fDl9elH\n"
    "5w==\n"
    "-----END PRIVATE KEY-----\n";

static const char sample_pkcs8_ed25519[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEINoVbBpAzFzhU/KSedrFUHstIhuc4aIP0aLaVKCLIh/x\n"
    "-----END PRIVATE KEY-----\n";

static const char sample_pbes2_aes256_sha256[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGaMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAhtojEBUmo6gQIBAjAM\n"
    "BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQYFfXy/Q7JHTh3w96Z7ByTgRAQDYr\n"
    "MENsp6k3UrWB3O8pCEnWyYc2TRQrJpPUftSH+rtObMfn6C+HbdKzGxKiXai3S3WC\n"
    "S08gshdmRu8eLowJJw==\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char sample_pbes2_aes192_sha384[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGaMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAj0Jh8kDpFXwAIBAzAM\n"
    "BggqhkiG9w0CCgUAMB0GCWCGSAFlAwQBFgQQeykctYEOkUDeon7p00Ex1QRA7tbS\n"
    "RLuyLjvicP4ZjWiBvfKVUCCI67jCuOR1FPpPG0y7lAJfDii5knrNRVGvej0bA5JT\n"
    "QDf8yPdaqwFQPNaMcQ==\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char sample_pbes2_aes128_sha1[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGMMEgGCSqGSIb3DQEFDTA7MBoGCSqGSIb3DQEFDDANBAiq99iSP1nWVQIBATAd\n"
    "BglghkgBZQMEAQIEEHzrsJpHi60liDvrcIKlP58EQM4I27N9zh/e0dUZNYk3B6tW\n"
    "zaggxRND+uxOkTm0XUaZLBUq4cjVbRSGWX5QYaysY5OMnjPzoU0sC/7mzZksQfE=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char sample_pbes2_aes256_sha512[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGaMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAg1iVbOVexoswIBAjAM\n"
    "BggqhkiG9w0CCwUAMB0GCWCGSAFlAwQBKgQQEb3+55xAQ7EjHO7ooiYaxARAsPiN\n"
    "3c72W7+x3C9HIUhn+3l354G7mZh/oE31+FIab6RT2mFSWU4JVN8wj7dgH1pYdcFh\n"
    "qbBQ+CQ31DRAVzee1g==\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char sample_pbes2_3des_sha1[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MHswPwYJKoZIhvcNAQUNMDIwGgYJKoZIhvcNAQUMMA0ECLZ1v1dMSHdWAgECMBQG\n"
    "CCqGSIb3DQMHBAgUBArTcIBwIgQ4ozgmjJObSTw1cNELt+mb0SWRtA3WejCvSnT3\n"
    "v8f64MHSBEjB8lP7JIVNH7lwr48SJIKnhw8Chxw=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char sample_refused_scrypt[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGSME4GCSqGSIb3DQEFDTBBMCAGCSsGAQQB2kcECzATBAiIi6sLBt7YFwIBAgIB\n"
    "AQIBATAdBglghkgBZQMEASoEEM8OGfLLHi2hfaKqwhiKaxoEQKBo03+hcrFulpvE\n"
    "OcfBCtRaqr/JTSj32MDqYjPowgge15EXCFyymhPuIrHC5d3FjRT9XhqaH17mqmJe\n"
    "ZfSH1Cs=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char sample_refused_camellia[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGcMFgGCSqGSIb3DQEFDTBLMCgGCSqGSIb3DQEFDDAbBAjHq2hytGi+WgIBATAM\n"
    "BggqhkiG9w0CCQUAMB8GCyqDCIyaSz0BAQECBBA/IoeVD7up1EC3vy6uKh1lBECB\n"
    "+mkLTOT8Gdgd1mJBplJ/4SrgKuWpYuQJaYf7/6pXBH8AUjeMQPxPAp1jRNCcxRb+\n"
    "glM6pYFpszIOrPXeH57b\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char sample_refused_aes_cfb[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGKMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAhsoO9tpZhldAIBATAM\n"
    "BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBBAQQRkQJYZBoBEMi0XiakgdA9wQwtHid\n"
    "x5CHHj6w2qgGEkU4tvQINZMNoLwIKZ7z9NaVsDZqGqs3g1gB5F8NxTsn4Bbd\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char sample_refused_sha224[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGaMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAgzftbX4+6UAAIBATAM\n"
    "BggqhkiG9w0CCAUAMB0GCWCGSAFlAwQBAgQQBIx2oVso5cf1fnCX7PYJLARAa/f/\n"
    "036OU4FbGVIltZ4QzkcpL/lnVbjBKMHAbzNW4GoAxgXLdNv0mCbzz0efI2hA++KY\n"
    "ZCjlQ7L33HxztG2gUA==\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char sample_refused_iterations[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGdMFkGCSqGSIb3DQEFDTBMMCsGCSqGSIb3DQEFDDAeBAhRSd8N5PFO3wIEAJiW\n"
    "gTAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBAgQQyaAHsLtyjij5H1oOMW4OJQRA\n"
    "0vGVqZLcFBWsajELoDKh8WpA3MyHkqQDRQmaKcNaViMYY+nD+lZTKq7RSpmO+VN0\n"
    "p1K38CwpxziAszS6Ujv6zA==\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char sample_refused_pkcs12[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MFcwGwYKKoZIhvcNAQwBAzANBAhUvOny+zoJogIBAQQ43GWH1vb1gvf+wjP1oUlK\n"
    "NuLtCcVUJy++6aLYhhXe+xnfL2iZWzy8L+1pqeMCsZIUmafETnmnMBI=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char sample_dek_aes128[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "Proc-Type: 4,ENCRYPTED\n"
    "DEK-Info: AES-128-CBC,E5096F0E33DD143630DCA7D003CD1537\n"
    "\n"
    "LFG94BE+kGxzR04Y3KGED+0lugD8Ndrz7tHET579xQXOT7J+3PPd59z58gfk+Ds9\n"
    "rPs0OVA99H5axhJojSF54IWNJqIcvvl3V7MiFQtXSwHoJ8BmtaG1FbFGJhouiMaL\n"
    "txVgwCPUhjH7ipvT+K+vI0eIDi67TsBSiPsVy65gpnM=\n"
    "-----END EC PRIVATE KEY-----\n";

static const char sample_dek_aes192[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "Proc-Type: 4,ENCRYPTED\n"
    "DEK-Info: AES-192-CBC,D7EE2588D3BD87CB882D671CA6FECCED\n"
    "\n"
    "aLWgc7uDVs/cfLwSu4f6JaI1sILzX+um12uE6S9BXT+HjwAeP7gKvDkG6NQpJixn\n"
    "WPRvfn8+mn3PCcQa3VodeyRKzSvVo3ygYTDUXmasL5rfxZphDy8mev0LwDV6Fg9d\n"
    "Cx4l1XX2iuk7Lpk7TwsOBDuEmBEB7iYcjuzbR23//Iw=\n"
    "-----END EC PRIVATE KEY-----\n";

static const char sample_dek_aes256[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "Proc-Type: 4,ENCRYPTED\n"
    "DEK-Info: AES-256-CBC,1297A6C384D3EAE163002DE05199E833\n"
    "\n"
    "wXdcl8CDhzQEpDF9j9132i/3GWWQJWAaNgUqhfTgwLBihMrtto79EhAG1yEP6Rl1\n"
    "OjVeO9LmDDyZekr6kt8DN3EZt9jO3PbOoxUB42+Z71tLgMtM9r6ff/4CMZaHcfhX\n"
    "7XOnovLeGM2Mno11BJr2lWX86PAXESvKOVOUv5E44Cg=\n"
    "-----END EC PRIVATE KEY-----\n";

static const char sample_dek_des3[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "Proc-Type: 4,ENCRYPTED\n"
    "DEK-Info: DES-EDE3-CBC,CEEBBF2656F67F02\n"
    "\n"
    "9i8DWWJJzaDxrNCOAfcDz26hI3e3at3BMTCPKpVxhZYgULlXHiG4GCfz8wt27GTp\n"
    "/OZsCn4IabqWOjH0PFJDWjah2OevWBGoaEkrVsuO4pVZDyWukojRvjpYyP+i2o62\n"
    "2Ij1F+wN+1mkWUYTqAtZ7p8aONbp7q3q4ISGKelFIXE=\n"
    "-----END EC PRIVATE KEY-----\n";

static const char sample_openssh_aes128_gcm[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAAFmFlczEyOC1nY21Ab3BlbnNzaC5jb20AAAAGYmNyeXB0AA\n"
    "AAGAAAABBCsuPQBoc/f91iLp5yLCrWAAAAAQAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAA\n"
    "IKho4LpPHoRY4DXLiEqXsCtfI2/ho61C2cfOT45CLCuwAAAAoIBFfdlLTYUaay3ZgmC7nV\n"
    "le/VuHB2QnzY5l9W6YL2zuczRDcrcqF+5V4rFNbfN24RkV5+i8iahTgG/u7HbMcddV3LO4\n"
    "96BtzOc4tgVDJjJfSss9hoPT/jvQVyAEznlI+VDsy0/eLHMg7w40RVFKZZ1v5um9yEGx6+\n"
    "AhxGdMb4E39YcXl5hNFZqg3qS2/HiHn7et7zBaO0UTFfNvM26UZJ8BC5zvkoU1d5kJdbU2\n"
    "bCU5\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static const char sample_openssh_aes256_gcm[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAAFmFlczI1Ni1nY21Ab3BlbnNzaC5jb20AAAAGYmNyeXB0AA\n"
    "AAGAAAABDMOw60YzfZpy1juOHFxYJfAAAAAQAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAA\n"
    "IKho4LpPHoRY4DXLiEqXsCtfI2/ho61C2cfOT45CLCuwAAAAoNW7kjIpl/G4ZwQP34VCKj\n"
    "TtN0JSsgaV9lthToLqIRfd34dEVDsIMUZpNVJ75wVazCwcym9wImtRIAtXs9OYqWkGJouM\n"
    "xvg4QJUU9DKCZEEn4ehRWJNEYGlQZ3qnvv60DfMd8A2GUZdg3cQE+I3pC3n52h+opwi5rZ\n"
    "IuJx1Xm0+emM2VEdMhruM8d8Djf9IU64vzj610jmA00PA8WB8QyTVwEjo3wG727FEon32M\n"
    "daC8\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static const char sample_openssh_chapoly[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAAHWNoYWNoYTIwLXBvbHkxMzA1QG9wZW5zc2guY29tAAAABm\n"
    "JjcnlwdAAAABgAAAAQJsJzByROCJKTZlBPR3sREwAAAAEAAAABAAAAMwAAAAtzc2gtZWQy\n"
    "NTUxOQAAACCoaOC6Tx6EWOA1y4hKl7ArXyNv4aOtQtnHzk+OQiwrsAAAAKDt4yxl0tG3NA\n"
    "SM7DQmgKHaHO+sUCbm9OMpsxVdtRV9m2llXZRDpw4U3WkVtDj60HG96c18iv8UHCqlyQmN\n"
    "8apOiV2DQzstGxf9pRnTMVs453xvRxh9apn/zgg5wce9wLAmB153utDJkqRpnpBZtHwKPO\n"
    "ncjeULKwkTZ0nCzSm3G7xk0INwqjfQ6mYuJwExTRAeNW+a7phX4OSL4UZkmVjKES3jNPT7\n"
    "j42IPxmSDHQd6A==\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static const char sample_openssh_3des[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAACDNkZXMtY2JjAAAABmJjcnlwdAAAABgAAAAQZVKGc3rKsa\n"
    "QTiD6unTsKAwAAAAEAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQAAACCoaOC6Tx6EWOA1y4hK\n"
    "l7ArXyNv4aOtQtnHzk+OQiwrsAAAAKBdfln5709TWnQ4+FDVsHG5BozXsjpIKcqWRwgAaw\n"
    "z8TA7Vytk+mMfNQBLdw8paq8UW8UYgObro2HW01ILoC6jMyrPRUrhpWuUzrgkIvMP4SOys\n"
    "+rwBXpqLTMN608JZgi/YfcEreDZkvFaKXG35vpNaFxOl8fNHbi3F9+QdYD5GZpwO77oQql\n"
    "k3ispO9vjTSgdo1rU84ML9eAuukOpf4z3l\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static const char sample_openssh_aes128_ctr[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAACmFlczEyOC1jdHIAAAAGYmNyeXB0AAAAGAAAABCeIqEhKA\n"
    "BGaOQXcwmjyU7sAAAAAQAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIKho4LpPHoRY4DXL\n"
    "iEqXsCtfI2/ho61C2cfOT45CLCuwAAAAoGOj+kQa2l6Hx876FgtWKkTc8lYSA77+Uwdi6H\n"
    "IG5B9o2UZuqHNu1ABgILES3TUCtONfZuwg2xdLQAruWe3DXbANo11jtzKLpIH9SrEQbbN5\n"
    "yZCKEa8kTLm+v5jKJd33vxOvGMnEudx0TDE+FTjbLLgyoWtpBpORXhUPPD1QyFw7ZinRAS\n"
    "tyInv0B1l0UZwyoYYX/diPwJrp6XM7cjq1ev0=\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static const char sample_openssh_aes192_cbc[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAACmFlczE5Mi1jYmMAAAAGYmNyeXB0AAAAGAAAABAcZQmOOF\n"
    "3pi+ilXu9bg6joAAAAAQAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIKho4LpPHoRY4DXL\n"
    "iEqXsCtfI2/ho61C2cfOT45CLCuwAAAAoHINVbdgdgl04hfy0jU0cC7RyiDQ5IF5rwuVzy\n"
    "BhW0Zo9YUujjof3C/jCYBttvbD3PqfubHmYhXR6qGhHlwTynazKGh/bslQzfmx8GRnZN3J\n"
    "ok3rkCXPct6TGRoxn9klYcVMFStK5k1UczvOT9agAy3csWeIEAoHT+w5BlXE9kolXhHuZD\n"
    "nM+1K3A94RRUBp/k+YLxfS0tgrHtbawUk/uIs=\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static const char sample_refused_secp256k1[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHQCAQEEIKADM8yiGOca14uGJnmaxZy4W/Z+j6CNIsy+qS0OePIKoAcGBSuBBAAK\n"
    "oUQDQgAEBfr1tMuK9CTGva8H4YcCyFZ8pxJ3kqaP5AiDJazhqAy88hTf2zclzpT6\n"
    "6+9zmqEEH3q6SWHNEf4cnyEG4VL6/g==\n"
    "-----END EC PRIVATE KEY-----\n";

static const char sample_refused_explicit[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIIBaAIBAQQg0nT3nSkyTTWC57ejj1TFLugjWaS3Rj/HBFZP88SSGkWggfowgfcC\n"
    "AQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAAAAAAAAAAAAAA////////////////\n"
    "MFsEIP////8AAAABAAAAAAAAAAAAAAAA///////////////8BCBaxjXYqjqT57Pr\n"
    "vVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSdNgiG5wSTamZ44ROdJreBn36QBEEE\n"
    "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54W\n"
    "K84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA//////////+85vqtpxeehPO5ysL8\n"
    "YyVRAgEBoUQDQgAEMAOXhM+VJm4NBlX5NzQPdjqnV7kXqDfbSqKFb7pgiXKOmRdl\n"
    "BgujzhBIZ1dEp1Eg8GQ+qheYIpBFeJBKe8SYxQ==\n"
    "-----END EC PRIVATE KEY-----\n";

static const char sample_sec1_compressed[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MFcCAQEEINJ0950pMk01gue3o49UxS7oI1mkt0Y/xwRWT/PEkhpFoAoGCCqGSM49\n"
    "AwEHoSQDIgADMAOXhM+VJm4NBlX5NzQPdjqnV7kXqDfbSqKFb7pgiXI=\n"
    "-----END EC PRIVATE KEY-----\n";

static const char sample_sec1_no_public[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MDECAQEEINJ0950pMk01gue3o49UxS7oI1mkt0Y/xwRWT/PEkhpFoAoGCCqGSM49\n"
    "AwEH\n"
    "-----END EC PRIVATE KEY-----\n";

static const char sample_refused_rsa1024[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIICXAIBAAKBgQDzdUzGib9clkoR2fca23Dc/UlYUqaMlC/2U5dn4irCk5xCoWIA\n"
    "YsgY9M/BFsBNs0bhHEnePADZUvo6qBu8ykTBmM3vU/1bGKm21PjVWGNd97ogqIou\n"
    "AR6fXilZexaUAC3Mx4Z99Hh5VDvJLZL8ZUYZyIrnUQZTXswadNq7mjVgiwIDAQAB\n"
    "AoGAEM8/jtHB+bWSxarECgGuyENgxg1m3Hv618orwQt3olmox1z3NEmdwUNd+NoG\n"
    "SxcexLo8S3DfKiI1jsk+qQlaN9VF7Nmt9/JzU9aqMBV5Qd1vfbiwCW89zU32+2fT\n"
    "6ATza8Q7B5s+hJDKOUHkPg/1IoVmu0y9XvTCV8J5yjdTFKECQQD/18JvaCt9oxou\n"
    "GxnU+QZP0iXtiSa5ma/iZUFBd5+kHZ+q2Frpw7Bx5DWqop0PY4hlBxjtXmuqfBHU\n"
    "wpFwrlPRAkEA85uXq+e/2NioMYdp87JXutaooXIrspoBxS7/6KUhOzma1HItUql7\n"
    "BSW7OGbmFbfiNBdQJQvjvJy4L8NDgEvRmwJAUqKt+q363inAWwQF4/RLRZzrAz45\n"
    "c9lgJg/uc+bfeXLYD6ayNq8uXpsHeoXrlPzhIUCZnJHS1M4eNEpkD7E/AQJAIyJR\n"
    "oa1u8ettdpc9JLSYCo5jC8XXn46uqq24oukN/ei09+bvunhPEdL7SYstq/w1V6X1\n"
    "HSK12cIQnnLfDWXh+QJBAL6UwF/Eb8kv1IWX03nf6rz2mcP8JJP1wZwNi0fGPaGx\n"
    "O8SRJf/Ef4BDGK8uDdIGaJBihChf0sIBLkhya4rPZvE=\n"
    "-----END RSA PRIVATE KEY-----\n";

static const char sample_refused_ed448[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MEcCAQAwBQYDK2VxBDsEOdyDfh458SAlpZZ7STa2Sjp4igCCM/dmA84lYJjj2hIr\n"
    "A3mwYr9GfSQ6lPI7okkFl8Rl51Rjno2OKQ==\n"
    "-----END PRIVATE KEY-----\n";

static const char sample_refused_x25519[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VuBCIEIGCNm7TpNliSozFydUkXIBG8Q/iLzdwmSIqsoLunwMBI\n"
    "-----END PRIVATE KEY-----\n";

#endif
