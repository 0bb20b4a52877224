/* Published values of ML-KEM-768, as Wycheproof has them ("official round 3 seeds 0"): d || z and
 * m, and what comes of them; of the long ones the SHA-256. */
#ifndef TESTS_UNIT_CRYPTO_MLKEM_SAMPLES_H
#define TESTS_UNIT_CRYPTO_MLKEM_SAMPLES_H

#define MLKEM_SAMPLE_SEED                                                                          \
    "7c9935a0b07694aa0c6d10e4db6b1add2fd81a25ccb148032dcd739936737f2d"                             \
    "8626ed79d451140800e03b59b956f8210e556067407d13dc90fa9e8b872bfb8f"
#define MLKEM_SAMPLE_M         "147c03f7a5bebba406c8fae1874d7f13c80efe79a3a9a874cc09fe76f6997615"
#define MLKEM_SAMPLE_SECRET    "e7184a0975ee3470878d2d159ec83129c8aec253d4ee17b4810311d198cd0368"
#define MLKEM_SAMPLE_EK_SHA256 "86adbca81f4fee893e2fb58fb98aa2fe188f501fed268d7f4056f8c05c4e53c4"
#define MLKEM_SAMPLE_DK_SHA256 "8757e8aee5e441aee07a43af40467d32f80aee5c51aae4ebd2bdb844c038aac7"
#define MLKEM_SAMPLE_CT_SHA256 "36829a2f35cbf4deb62c0a12a15c22dae9f8d2c252566fc24f88abe805cb575e"

#endif
