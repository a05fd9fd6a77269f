select number, bytes from app.rejects_published where job = $1
