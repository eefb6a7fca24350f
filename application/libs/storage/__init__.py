"""Keep files under random names, wherever that is: on a disk, in S3, at Qiniu."""
