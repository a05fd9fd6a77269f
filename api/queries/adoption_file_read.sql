select bytes from app.adoption_files where adoption_id = $1 and file = $2
