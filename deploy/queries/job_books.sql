-- each source of a job with its books, and the offset after the last one that a tick covers
select (source.place - 1)::int as index,
       source.said -> 'source' ->> 'topic' as topic,
       (source.said ->> 'partition')::int as partition,
       newest.upto[source.place] as upto,
       coalesce(books.messages, 0) as messages,
       coalesce(books.readings, 0) as readings,
       coalesce(books.accepted, 0) as accepted,
       coalesce(books.duplicates, 0) as duplicates,
       coalesce(books.superseded, 0) as superseded,
       coalesce(books.late, 0) as late,
       coalesce(books.rejected, 0) as rejected,
       coalesce(books.unreadable, 0) as unreadable
from derived.jobs
cross join lateral jsonb_array_elements(jobs.sources) with ordinality as source (said, place)
left join lateral (select upto from derived.bindings where job = jobs.job order by tick desc limit 1) as newest on true
left join derived.books on books.job = jobs.job and books.source = source.place - 1
where jobs.job = $1
order by source.place
