//! Objects of a bucket.

use perf_core::ports::{BlobRead, BlobReader, BlobWriter};

/// Unusual, and allowed.
const KEY: &str = "imports/acme/portfolio/p/flows + é 100%.csv";

async fn read(bucket: &impl BlobReader, key: &str, bytes_max: u64) -> BlobRead {
    bucket.read_blob(key, bytes_max).await.expect("an answer")
}

/// What is put is read as it was, until something else takes its place.
pub async fn an_object_is_read_as_written(bucket: &(impl BlobReader + BlobWriter)) {
    assert_eq!(read(bucket, KEY, 9).await, BlobRead::Missing);
    bucket.put_blob(KEY, b"\0\xff first").await.expect("put");
    assert_eq!(read(bucket, KEY, 9).await, BlobRead::Found(b"\0\xff first".to_vec()));
    bucket.put_blob(KEY, b"").await.expect("put");
    assert_eq!(read(bucket, KEY, 0).await, BlobRead::Found(Vec::new()));
    assert_eq!(read(bucket, "imports/acme/portfolio/p/flows", 9).await, BlobRead::Missing);
}

/// An object is read whole or not at all.
pub async fn a_large_object_is_not_read(bucket: &(impl BlobReader + BlobWriter)) {
    bucket.put_blob(KEY, &[b'a'; 1_000]).await.expect("put");
    assert_eq!(read(bucket, KEY, 999).await, BlobRead::TooLarge);
    assert_eq!(read(bucket, KEY, 1_000).await, BlobRead::Found(vec![b'a'; 1_000]));
}
