import os, time, psycopg
from pathlib import Path
from shared.embedded import EmbeddedPostgres
from enrollment.identity.rules import plain, grams_of
from tests.benchmarks.made import LICENCES
folder = Path("/dev/shm/consumer")/"gin"; folder.mkdir()
pg = EmbeddedPostgres(folder, {"autovacuum":"off"}).start()
try:
    url = pg.create_database("x","x")
    N=20000
    names=[plain(LICENCES.make(n)["name"]) for n in range(2*N)]
    def pk(g):
        v=0
        for c in g: v=(v*65536+ord(c)) & 0xffffffff
        return v-(1<<32) if v>=1<<31 else v
    with psycopg.connect(url, autocommit=True) as c:
        print(c.execute("show server_version").fetchone(), c.execute("select datcollate, datlocprovider from pg_database where datname='x'").fetchone())
        pid=c.info.backend_pid
        cpu=lambda: int(open(f"/proc/{pid}/schedstat").read().split()[0])/1e9
        for label,typ,ix in (("text nogin","text[]",None),("text gin","text[]","using gin(g)"),("int nogin","int[]",None),("int gin","int[]","using gin(g)"),("int gin nofast","int[]","using gin(g) with (fastupdate=off)"),("int gin pend 32MB","int[]","using gin(g) with (gin_pending_list_limit=32768)"),("text C gin",'text[] collate "C"',"using gin(g)")):
            c.execute("drop table if exists t"); c.execute(f"create table t(id text primary key, name text, unit text, s text, g {typ})")
            c.execute("create index on t(unit,id)")
            if ix: c.execute(f"create index on t {ix}")
            res=[]
            for part in range(8):
                ns=names[part*N//4:(part+1)*N//4]
                rows=[(f"E{part*5000+i:09d}", nm, "210502", nm, grams_of(nm) if "text" in typ else [pk(g) for g in grams_of(nm)]) for i,nm in enumerate(ns)]
                a=cpu()
                with c.cursor() as cur, cur.copy("copy t from stdin") as cp:
                    for r in rows: cp.write_row(r)
                res.append((cpu()-a)/5000*1e6)
            a=cpu(); c.execute("update t set name=name where id < 'E000005000'"); u=(cpu()-a)/5000*1e6
            print(f"{label:20} mean {sum(res)/8:.1f}", [round(x,1) for x in res], "upd", round(u,1), c.execute("select pg_size_pretty(pg_table_size('t')), pg_size_pretty(pg_indexes_size('t'))").fetchone())
finally:
    pg.stop(immediate=True); import shutil; shutil.rmtree(folder)
