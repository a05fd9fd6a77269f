select figure.site as site_id, site.code as site_code, figure.month, figure.metric, figure.value, figure.numerator, figure.denominator, figure.unit,
    figure.basis, figure.reason, figure.through, figure.from_tick
from derived.compliance figure
join app.sites site on site.id = figure.site
where site.tenant_id = $1
  and case when $2::bigint is null then figure.upto_tick is null else figure.from_tick <= $2 and (figure.upto_tick is null or figure.upto_tick > $2) end
  and ($3::uuid is null or figure.site = $3)
  and ($4::date is null or figure.month = $4)
order by figure.month desc, site.code, array_position(array['energy', 'cuf', 'pr', 'availability', 'completeness'], figure.metric)
limit $5
