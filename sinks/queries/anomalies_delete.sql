delete from derived.anomalies a
using staged_anomalies s
where not s.there and a.point = s.point and a.at = s.at
