use super::*;

/// A directory that every user may enter, gone with the value.
fn open_dir() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

async fn answer(cluster: &Cluster) -> i32 {
    let mut connection = PgConnection::connect(&cluster.url()).await.unwrap();
    sqlx::query_scalar("select 42").fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_cluster_is_made_once_taken_over_when_left_behind_and_started_again_after_a_stop() {
    let dir = open_dir();
    let cluster = Cluster::start(dir.path()).unwrap();
    cluster.create_database().await.unwrap();
    assert_eq!(answer(&cluster).await, 42);
    // As if the first owner had been killed.
    let pid = fs::read_to_string(cluster.data.join("postmaster.pid")).unwrap();
    drop(cluster);
    let adopted = Cluster::start(dir.path()).unwrap();
    adopted.create_database().await.unwrap();
    assert_eq!(fs::read_to_string(adopted.data.join("postmaster.pid")).unwrap().lines().next(), pid.lines().next());
    adopted.stop().unwrap();
    assert!(!adopted.is_running().unwrap());
    // A pid file of a server that is gone does not stop the next one.
    fs::write(adopted.data.join("postmaster.pid"), "999999\n").unwrap();
    let again = Cluster::start(dir.path()).unwrap();
    assert_eq!(answer(&again).await, 42);
    again.stop().unwrap();
}

#[test]
fn a_socket_in_a_deep_directory_moves_where_its_path_fits() {
    let deep = PathBuf::from(format!("/{}", "d".repeat(120)));
    assert!(socket(&deep).as_os_str().len() <= SOCKET_DIR_BYTES_MAX);
    assert_eq!(socket(Path::new("/data/postgres")), Path::new("/data/postgres/run"));
}

#[test]
fn a_path_in_a_url_is_escaped() {
    assert_eq!(url(Path::new("/a b/ü"), "x"), "postgres://dcmms@localhost/x?host=/a%20b/%C3%BC");
}
