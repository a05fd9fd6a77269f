update app.adoptions set state = 'done', finished_at = now() where id = $1
