"""The main job, shown: sign in once, get a certificate, call a server that asks for one."""
