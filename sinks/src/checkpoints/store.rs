//! A directory or an S3 store, as one.

use super::{Keeping, file::Damage};
use crate::error::SinkError;
use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt as _, aws::AmazonS3Builder, local::LocalFileSystem, path::Path, prefix::PrefixStore};
use std::{
    fs,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

#[derive(Clone, Debug)]
pub(crate) struct Store {
    store: Arc<dyn ObjectStore>,
    /// Where the files are, if they are in a directory: they are synced there, which the store does not do by itself.
    directory: Option<PathBuf>,
    /// For people.
    place: String,
}

impl Store {
    /// Opens the place that the configuration names; a directory is made.
    pub(crate) fn open(keeping: &Keeping, root: &FilePath) -> Result<Store, SinkError> {
        if let Some(rest) = keeping.url.strip_prefix("s3://") {
            let fault = |source| SinkError::Store { doing: "open the checkpoint store", place: keeping.url.clone(), source };
            let bucket = AmazonS3Builder::from_env().with_url(&keeping.url).build().map_err(fault)?;
            let prefix = rest.split_once('/').map_or("", |(_, prefix)| prefix);
            let store: Arc<dyn ObjectStore> =
                if prefix.is_empty() { Arc::new(bucket) } else { Arc::new(PrefixStore::new(bucket, Path::from(prefix))) };
            return Ok(Store { store, directory: None, place: keeping.url.clone() });
        }
        let directory = if keeping.url.is_empty() { root.join("checkpoints") } else { PathBuf::from(&keeping.url) };
        fs::create_dir_all(&directory).map_err(|source| SinkError::File {
            doing: "make the directory",
            path: directory.clone(),
            source,
        })?;
        let place = directory.display().to_string();
        let fault = |source| SinkError::Store { doing: "open the checkpoint store", place: place.clone(), source };
        let store = Arc::new(LocalFileSystem::new_with_prefix(&directory).map_err(fault)?);
        Ok(Store { store, directory: Some(directory), place })
    }

    /// Stores a file, whole or not at all.
    pub(crate) async fn put(&self, path: &str, bytes: Bytes) -> Result<(), SinkError> {
        self.store.put(&Path::from(path), bytes.into()).await.map_err(self.fault("store a checkpoint in"))?;
        let Some(directory) = &self.directory else { return Ok(()) };
        let file = directory.join(path);
        let synced = tokio::task::spawn_blocking(move || {
            fs::File::open(&file)?.sync_all()?;
            file.parent().map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all())
        });
        let synced = synced.await.map_err(|_| SinkError::Thread("the checkpoint store"))?;
        synced.map_err(|source| SinkError::File { doing: "sync", path: directory.join(path), source })
    }

    /// Reads a file whole; one that is not there is damage, not a fault of the store.
    pub(super) async fn get(&self, path: &str) -> Result<Result<Bytes, Damage>, SinkError> {
        let found = match self.store.get(&Path::from(path)).await {
            Ok(found) => found.bytes().await,
            Err(error) => Err(error),
        };
        match found {
            Ok(bytes) => Ok(Ok(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(Err(Damage::Gone)),
            Err(source) => Err(self.fault("read a checkpoint from")(source)),
        }
    }

    /// Removes a file. One that is gone already is as good.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), SinkError> {
        match self.store.delete(&Path::from(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(self.fault("remove a checkpoint from")(source)),
        }
    }

    /// All files of a job.
    pub(crate) async fn list(&self, job: &str) -> Result<Vec<String>, SinkError> {
        let listed = self.store.list_with_delimiter(Some(&Path::from(job))).await.map_err(self.fault("list the checkpoints in"))?;
        Ok(listed.objects.into_iter().map(|object| object.location.to_string()).collect())
    }

    fn fault(&self, doing: &'static str) -> impl Fn(object_store::Error) -> SinkError {
        let place = self.place.clone();
        move |source| SinkError::Store { doing, place: place.clone(), source }
    }
}
