//! Claims under warranties.

use super::warranties::WarrantyView;
use crate::{
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Column, Find, Moving, Plain, actions, resource, row, text, uuid},
    routes::Routes,
};
use chrono::{DateTime, NaiveDate, Utc};
use dcmms_schemas::{
    access::Feature::F14,
    asset::claim::{Claims, Event, Facts},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F14), routes!(list))
        .on(Gate::read(F14), routes!(read))
        .on(Gate::create(F14), routes!(add))
        .on(Gate::change(F14), routes!(change))
        .on(Gate::act(F14), routes!(submit))
        .on(Gate::act(F14).full(), routes!(accept))
        .on(Gate::act(F14).full(), routes!(reject))
        .on(Gate::act(F14).full(), routes!(settle))
}

resource!(ClaimView, ClaimInput, "/warranty-claims", "assets", "a warranty claim"; list read add change "Only a draft can be changed.");

actions!(ClaimView, ClaimSaid, Event, "/warranty-claims", "assets";
    submit = Submit "submit" "Sends the claim to the provider.";
    accept = Accept "accept" "Notes that the provider accepts it.";
    reject = Reject "reject" "Notes that the provider rejects it.";
    settle = Settle "settle" "Notes what was paid or replaced.";
);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimInput {
    pub warranty: Uuid,
    #[serde(default)]
    pub work_order: Option<Uuid>,
    pub failed_on: NaiveDate,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "820.00")]
    pub amount: Option<Decimal>,
    #[serde(default)]
    #[schema(example = "EUR")]
    pub currency: Option<String>,
}

row!(ClaimView of ClaimInput as claim {
    status: String,
    #[schema(value_type = Option<String>)]
    settled_amount: Option<Decimal>,
    /// How the provider names it.
    provider_ref: Option<String>,
});

/// What a request to move a claim may say.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ClaimSaid {
    pub reason: Option<String>,
    pub provider_ref: Option<String>,
    #[schema(value_type = Option<String>)]
    pub settled_amount: Option<Decimal>,
}

impl Plain for ClaimView {
    const NAME: &'static str = "warranty claim";
    const PATH: &'static str = "/warranty-claims";
    const TABLE: &'static str = "warranty_claims";
    const FILTERS: &'static [Column] = &[text("status", "States, comma-separated."), uuid("warranty", ""), uuid("work_order", "")];
    const SORTS: &'static [Column] = &[crate::resource::time("created_at")];
    const NEWEST_FIRST: bool = true;

    async fn check(
        _: &mut PgConnection,
        _: &Principal,
        current: Option<&ClaimView>,
        _: &ClaimInput,
        _: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        match current {
            Some(row) if row.status != "draft" => {
                Err(Problem::conflict("fixed", format!("the claim is {}; only a draft changes", row.status)))
            }
            _ => Ok(json!({})),
        }
    }
}

impl Moving for ClaimView {
    type Machine = Claims;
    type Said = ClaimSaid;

    fn status(&self) -> &str {
        &self.status
    }

    fn label(&self) -> String {
        format!("the claim for the failure of {}", self.claim.failed_on)
    }

    async fn facts(
        &self,
        connection: &mut PgConnection,
        who: &Principal,
        _: Event,
        said: &ClaimSaid,
        _: DateTime<Utc>,
    ) -> Result<Facts, Problem> {
        let warranty = WarrantyView::find(connection, who.tenant, self.claim.warranty).await?.warranty;
        Ok(Facts {
            reason: said.reason.clone(),
            covered: (warranty.starts_on..=warranty.ends_on).contains(&self.claim.failed_on),
            amount_named: self.claim.amount.is_some() && self.claim.currency.is_some(),
            settled_amount_named: said.settled_amount.is_some_and(|amount| !amount.is_sign_negative()),
        })
    }

    async fn effects(
        &self,
        _: &mut PgConnection,
        _: &Principal,
        event: Event,
        said: &ClaimSaid,
        _: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        let reference = said.provider_ref.clone().or(self.provider_ref.clone());
        Ok(match event {
            Event::Settle => json!({ "settled_amount": said.settled_amount, "provider_ref": reference }),
            _ => json!({ "provider_ref": reference }),
        })
    }
}
