use super::*;

#[test]
fn the_table_has_every_feature_once_in_order_and_every_role() {
    for (index, (feature, name, letters)) in TABLE.iter().enumerate() {
        assert_eq!(*feature as usize, index, "{name}");
        assert_eq!(feature.code(), format!("F{:02}", index + 1));
        assert_eq!(letters.len(), Role::ALL.len(), "{name}");
        assert!(letters.bytes().all(|letter| b"FLRAS-".contains(&letter)), "{name}");
    }
}

#[test]
fn letters_are_those_of_the_matrix() {
    assert_eq!(Feature::F03.letter(Role::PlantManager), Letter::Full);
    assert_eq!(Feature::F05.letter(Role::ProviderTechnician), Letter::Assigned);
    assert_eq!(Feature::F26.letter(Role::TenantAdmin), Letter::Limited);
    assert_eq!(Feature::F30.letter(Role::AssetOwner), Letter::Own);
    assert_eq!(Feature::F01.letter(Role::FinanceController), Letter::Read);
    assert_eq!(Feature::F73.letter(Role::Dispatcher), Letter::None);
}

#[test]
fn a_role_is_read_by_the_name_it_shows() {
    for role in Role::ALL {
        assert_eq!(role.name().parse(), Ok(role));
        assert_eq!(serde_json::to_value(role).unwrap(), role.name());
    }
    assert!("boss".parse::<Role>().unwrap_err().contains("plant_manager"));
}
